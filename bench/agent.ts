import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { agentMaxBytes } from '../bundle.ts'
import type { AgentReport, RunConfig } from '../contract/agent-run.ts'
import { bundleImage } from './agent/bundle.ts'
import type { Started } from './agent/count.ts'
import { eventsDuring } from './agent/events.ts'
import { type BenchHost, benchHost, NICS } from './agent/host.ts'
import { peakOf, timeOf } from './agent/process.ts'
import { type Figure, figure, type Log, median, middlePair } from './figure.ts'

/**
 * Measures the agent as its image runs it, on the real kernel, on a host with ten NICs: its time compared with that of an empty Node
 * process, its memory, its processes, and what a run without changes modifies. Everything from exec to exit is measured, including the
 * report over TLS; only probes are listed separately. Two things that a host with systemd adds are not measured: arming the agent's timer,
 * and the backend's own tools.
 */
const ROUNDS = 7
/** Runs without changes per round; their median is used. */
const AGAIN = 3

/** The arguments of Node in the image, with the bundle as the last one, and its environment. */
type Program = { args: readonly string[]; env: Record<string, string> }

export async function figures(log: Log): Promise<Figure[]> {
	if (process.getuid?.() !== 0) throw new Error('bench agent: root is needed for network namespaces')
	const folder = mkdtempSync(join(tmpdir(), 'mn-bench-'))
	try {
		const program = await asInImage(folder)
		const rounds: Round[] = []
		for (let round = 1; round <= ROUNDS; round++) {
			const found = await measure(folder, program)
			log(`round ${round} of ${ROUNDS}: ${words(found)}`)
			rounds.push(found)
		}
		return judge(rounds, statSync(join(folder, 'agent.cjs')).size)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}

type Run = { milliseconds: number; report: AgentReport }
type Counted = { processes: number; ofProbes: number; kernel: number }
type Round = {
	floor: { milliseconds: number; mib: number; batch: number }
	first: Run
	second: Run
	mib: number
	counted: Counted
	touched: string[]
	events: string[]
}

function judge(rounds: readonly Round[], bundleBytes: number): Figure[] {
	const middle = (of: (round: Round) => number) => median(rounds.map(of))
	const most = (of: (round: Round) => number) => Math.max(...rounds.map(of))
	const mib = middle(round => round.floor.mib)
	const time = (run: 'first' | 'second') => ({
		...middlePair(rounds.map(round => ({ value: ownTime(round[run]), floor: round.floor.milliseconds }))),
		unit: 'ms',
	})
	return [
		figure({ name: `${NICS} new NICs, exec to exit`, ...time('first'), atMostFloors: 6, atMost: 300 }),
		figure({ name: 'probes (not included)', value: middle(({ first }) => probesOf(first)), unit: 'ms' }),
		figure({ name: 'no change, exec to exit', ...time('second'), atMostFloors: 4.5, atMost: 200 }),
		figure({ name: 'no change, files changed', value: most(({ touched }) => touched.length), unit: 'files', atMost: 0 }),
		figure({ name: 'no change, netlink changes', value: most(({ events }) => events.length), unit: 'events', atMost: 0 }),
		figure({ name: 'memory, peak', value: middle(round => round.mib), unit: 'MiB', floor: mib, atMost: mib + 22 }),
		figure({ name: 'processes, including the agent', value: most(({ counted }) => counted.processes), unit: 'processes', atMost: 12 }),
		figure({
			name: 'processes of probes (not included)',
			value: most(({ counted }) => counted.ofProbes),
			unit: 'processes',
			atMost: 2 * NICS,
		}),
		figure({
			name: 'kernel change',
			value: middle(({ counted }) => counted.kernel),
			unit: 'ms',
			floor: middle(round => round.floor.batch),
			atMostFloors: 3,
		}),
		figure({ name: 'bundle', value: bundleBytes / 1_000, unit: 'kB', atMost: agentMaxBytes / 1_000 }),
	]
}

/** Returns the time of the probes. Most of it is spent waiting for a reply of another host with the same address, which never arrives. */
function probesOf({ report }: Run): number {
	return report.milliseconds.probe ?? 0
}

function ownTime(run: Run): number {
	return run.milliseconds - probesOf(run)
}

function words({ floor, first, second, mib, counted, touched, events }: Round): string {
	const phases = Object.entries(first.report.milliseconds).map(([phase, milliseconds]) => `${phase} ${milliseconds}`)
	return [
		`node ${floor.milliseconds.toFixed(0)} ms ${floor.mib.toFixed(1)} MiB`,
		`new ${ownTime(first).toFixed(0)} ms ${mib.toFixed(1)} MiB (${phases.join(', ')})`,
		`no change ${ownTime(second).toFixed(0)} ms`,
		`${counted.processes} + ${counted.ofProbes} processes`,
		`kernel ${counted.kernel.toFixed(1)} ms, floor ${floor.batch.toFixed(1)} ms`,
		...touched,
		...events,
	].join('; ')
}

async function measure(folder: string, program: Program): Promise<Round> {
	const batch = await onHost(folder, host => oneBatch(host, program))
	const counted = await onHost(folder, host => count(host, program))
	const memory = await onHost(folder, async host => ({
		floor: await peakOf(host, empty),
		mib: await peakOf(host, on(host, program)),
	}))
	const timed = await onHost(folder, host => time(host, program))
	return { ...timed, counted, mib: memory.mib, floor: { milliseconds: timed.floor, mib: memory.floor, batch } }
}

const empty = { args: ['-e', '0'], env: {} }

/** Runs a measurement on a new host, so that it does not find the changes of the previous one. */
async function onHost<T>(folder: string, work: (host: BenchHost) => Promise<T>): Promise<T> {
	const host = await benchHost(folder)
	try {
		return await work(host)
	} finally {
		host.close()
	}
}

/**
 * Measures a run with new NICs, and runs without changes. The baseline is measured before, between and after them, because other load on
 * the machine may slow it down for a moment.
 */
async function time(host: BenchHost, program: Program) {
	const floors = [await timeOf(host, empty)]
	const agent = async (): Promise<Run> => {
		const milliseconds = await timeOf(host, on(host, program))
		return { milliseconds, report: good(host) }
	}
	const first = await agent()
	floors.push(await timeOf(host, empty))
	const again: Run[] = []
	let touched: string[] = []
	const events = await eventsDuring(host, async () => {
		host.env()
		const before = host.changeTimes()
		for (let n = 0; n < AGAIN; n++) again.push(await agent())
		touched = [...host.changeTimes()].filter(([path, time]) => before.get(path) !== time).map(([path]) => path)
	})
	const changed = again.find(({ report }) => report.changes > 0)
	if (changed) throw new Error(`bench agent: a repeated run found changes: ${JSON.stringify(changed.report)}`)
	const second = again.toSorted((a, b) => ownTime(a) - ownTime(b))[Math.floor(AGAIN / 2)] ?? first
	floors.push(await timeOf(host, empty))
	return { floor: median(floors), first, second, touched, events }
}

/** @returns the milliseconds that one `ip -batch` takes for the commands of a plan */
async function oneBatch(host: BenchHost, program: Program): Promise<number> {
	await timeOf(host, on(host, program, 'Plan'))
	const lines = good(host).plan?.commands.flatMap(command => /^ip (.*)$/.exec(command)?.[1] ?? []) ?? []
	const args = [...host.inside, process.execPath, join(import.meta.dirname, 'agent/one-batch.ts')]
	return Number(execFileSync('nsenter', args, { input: lines.map(line => `${line}\n`).join(''), encoding: 'utf8' }))
}

async function count(host: BenchHost, program: Program): Promise<Counted> {
	const COUNTED = join(host.root, 'config/counted.json')
	const { args, env } = on(host, program)
	await timeOf(host, { args: ['--import', join(import.meta.dirname, 'agent/count.ts'), ...args], env: { ...env, COUNTED } })
	good(host)
	const started = JSON.parse(readFileSync(COUNTED, 'utf8')) as Started[]
	const probes = started.filter(({ command }) => /^(arping|ping) |^ip (-j )?-force -batch|^ip -6 -j addr show tentative/.test(command))
	const changes = started.filter(({ command }) => /^ip (-6 )?-batch -$/.test(command))
	return {
		processes: 1 + started.length - probes.length,
		ofProbes: probes.length,
		kernel: changes.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
	}
}

function good(host: BenchHost): AgentReport {
	const report = host.report()
	if (report?.outcome !== 'Succeeded') throw new Error(`bench agent: ${JSON.stringify(report)}`)
	return report
}

function on(host: BenchHost, { args, env }: Program, mode?: RunConfig['mode']): Program {
	return { args, env: { ...env, ...host.env(mode) } }
}

/** Builds the program in a directory as the image is built, including the code cache that a recorded run fills. */
async function asInImage(folder: string): Promise<Program> {
	const dockerfile = readFileSync(join(import.meta.dirname, '../Dockerfile.agent'), 'utf8')
	const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
	const env = Object.fromEntries([...dockerfile.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
	const flags = entry.slice(1, -1)
	await bundleImage(folder)
	execFileSync(process.execPath, [...flags, join(folder, 'agent-warm-up.cjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
	return { args: [...flags, join(folder, basename(entry.at(-1) ?? ''))], env }
}
