import type { AgentReport } from '../../contract/agent-run.ts'
import { readNode, readSettings } from '../read/fleet.ts'
import { driftLines, isRight } from '../render/drift.ts'
import { formatted, isFormat } from '../render/output.ts'
import { isPossible, planLines } from '../render/planned.ts'
import { unansweredLines } from '../render/unanswered.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import { configView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { type Answer, askForRun, type Question } from './request-run.ts'
import { outputOption, timeoutOption } from './options.ts'
import { readEvents, readReady, readRenewed } from './diagnostics.ts'

type LookFlags = { output?: 'json' | 'yaml'; timeout: number }

const options = [outputOption('json', 'yaml'), timeoutOption('120s')]

export const diff: CommandSpec<LookFlags> = {
	name: 'diff',
	nodes: 'one',
	about: 'Show drift on a node (starts a read-only run)',
	options,
	more: 'Exits 0 if there is no drift and 1 if there is, like diff(1).',
	async act(session, [node = ''], { output, timeout }) {
		const answer = await answered(session, { node, ask: 'verify', timeoutMs: timeout })
		if (!answer) return exitCodes.notAsWanted
		show(session, answer, output, driftLines)
		return isRight(answer.report) ? exitCodes.ok : exitCodes.notAsWanted
	},
}

export const plan: CommandSpec<LookFlags> = {
	name: 'plan',
	nodes: 'one',
	about: 'Show every command and file that a run would change on a node (starts a read-only run)',
	options,
	more: 'Exits 0 if the plan can be applied, even an empty one, and 1 if an interface cannot be configured or removed.',
	async act(session, [node = ''], { output, timeout }) {
		const answer = await answered(session, { node, ask: 'plan', timeoutMs: timeout })
		if (!answer) return exitCodes.notAsWanted
		show(session, answer, output, planLines)
		return isPossible(answer.report) ? exitCodes.ok : exitCodes.notAsWanted
	},
}

type Render = (answer: Answer, colours: Session['colours']) => string[]

function show({ print, colours }: Session, answer: Answer, output: string | undefined, render: Render): void {
	print(isFormat(output) ? [formatted(answer.report satisfies AgentReport, output)] : render(answer, colours))
}

/** Requests a run and returns its report. If no run answers in time, it prints everything that a user would check. */
async function answered(session: Session, question: Question): Promise<Answer | undefined> {
	const answer = await askForRun(session, question)
	if (answer) return answer
	const { node, timeoutMs } = question
	const [object, rollout, ready, renewed, events] = await Promise.all([
		readNode(session, node),
		readSettings(session),
		readReady(session, node),
		readRenewed(session),
		readEvents(session, node),
	])
	const paused = rollout?.pausedBy.chart === true || rollout?.pausedBy.person === true
	const { namespace } = session.cluster
	const around = { config: configView(object), paused, ready, renewed, events, namespace, seconds: timeoutMs / 1_000 }
	for (const line of unansweredLines({ ...around, now: session.io.now() })) session.warn(line)
	return undefined
}
