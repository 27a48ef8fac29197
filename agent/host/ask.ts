import { failure } from '../failure.ts'
import type { Change, Step } from '../steps.ts'
import { exec } from './exec.ts'
import { type Answer, askNeighbours } from './neighbours.ts'

/** Long enough for two questions, which the kernel asks a second apart (milliseconds). */
const PATIENCE = 1_100
/** Silence is what is expected, so there are few looks (milliseconds). */
const PAUSES = [60, 300, PATIENCE]

/**
 * Asks for the addresses of all these steps at once, before any of them is given. A link's own address for asking is there only meanwhile.
 *
 * Silence is no proof: a host that filters by reverse path may not answer a link-local address, and a switch that lets only a port's
 * own addresses through drops the question.
 *
 * @throws Failure ADDRESS_IN_USE that blames the interface of the first address for which somebody else answers, or COMMAND_FAILED
 */
export async function refuseUsed(steps: readonly Step[]): Promise<void> {
	const asking = steps.flatMap(({ id, change }) => (change.kind === 'ask' ? [{ ...change, id }] : []))
	const questions = asking.flatMap(({ id, link, mac, ips }) => ips.map(ip => ({ id, link, mac, ip })))
	let end = asking.flatMap(({ link, from }) => (from ? [`addr del ${from.cidr} dev if${link}`] : []))
	try {
		await lend(asking)
		const answers = await askNeighbours(questions, PATIENCE, PAUSES)
		const forgotten = questions.filter((_, at) => mayBeForgotten(answers[at])).map(({ ip, link }) => `neigh del ${ip} dev if${link}`)
		end = [...forgotten, ...end]
		const at = answers.findIndex(({ mac }, n) => mac !== undefined && mac !== questions[n]?.mac)
		const used = questions[at]
		if (used) throw failure('ADDRESS_IN_USE', `${answers[at]?.mac} answers for ${used.ip}`, { id: used.id })
	} finally {
		await tell(end)
	}
}

type Asking = Extract<Change, { kind: 'ask' }> & { id: number | undefined }

/** Without it the kernel would ask in the name of another link's address: then it must not ask. */
async function lend(asking: readonly Asking[]): Promise<void> {
	const senders = asking.filter(({ from }) => from)
	const said = await tell(senders.map(({ link, from }) => `addr replace ${from?.cidr} dev if${link} scope link noprefixroute`))
	const at = /Command failed -:(\d+)/.exec(said)?.[1]
	if (at === undefined) return
	throw failure('COMMAND_FAILED', `an address to ask from: ${said.split('\n')[0]}`, { id: senders[Number(at) - 1]?.id })
}

/** A question still open would go on in the name of the address itself once that is given, which others take for an announcement. */
function mayBeForgotten(answer: Answer | undefined): boolean {
	return answer?.mac !== undefined || answer?.answers !== true
}

/** @returns what `ip` complains of; every line is tried */
async function tell(lines: readonly string[]): Promise<string> {
	if (lines.length === 0) return ''
	return (await exec('ip', ['-force', '-batch', '-'], lines.map(line => `${line}\n`).join(''))).stderr
}
