import { setTimeout as sleep } from 'node:timers/promises'
import { deviceWord } from '../ip/device-word.ts'
import { ipJson } from '../ip/read-json.ts'
import { exec } from './exec.ts'

/** A query whether the host with this address answers on this link (ifindex). */
export type NeighbourQuery = { ip: string; link: number }

/** Which hosts have been probed so far: none, the last known MAC, or all on the link. */
export type ProbeScope = 'nobody' | 'one' | 'all'
export type NextProbe =
	| { is: 'answers' | 'silent' }
	| { wait: ProbeScope }
	| { verb: 'add' | 'change'; how: 'use' | 'nud probe'; scope: ProbeScope }

/** Whether a host answered, and its MAC. An answer without a MAC means that the host could not be probed and is treated as present. */
export type NeighbourAnswer = { answers: boolean; mac?: string }

/** Probes neighbours as `probeNeighbours` does. @returns whether each one answers, in order */
export async function neighboursAnswer(queries: readonly NeighbourQuery[], withinMs: number): Promise<boolean[]> {
	return (await probeNeighbours(queries, withinMs)).map(({ answers }) => answers)
}

/** Pauses between two polls, in milliseconds; the last one repeats. */
const POLL_PAUSES = [2, 6, 16, 32, 64, 128, 200]

/**
 * Probes neighbours concurrently, including those that the kernel still knows, because an entry from before the change proves nothing.
 * Needs no route. The kernel sends up to three probes, one second apart: by unicast if it knows the MAC, otherwise by broadcast (IPv6:
 * multicast). The resulting entries exist only in the kernel and age like any others.
 *
 * @param withinMs milliseconds after which a neighbour that has not answered is treated as silent
 * @param pauses between two polls, each a process, in milliseconds; the last one repeats
 * @returns one answer per query, in order
 */
export async function probeNeighbours(
	queries: readonly NeighbourQuery[],
	withinMs: number,
	pauses: readonly number[] = POLL_PAUSES,
): Promise<NeighbourAnswer[]> {
	const all = queries.map((query): OpenQuery => ({ ...query, probed: 'nobody', answer: undefined }))
	const end = performance.now() + withinMs
	let lines: string[] = []
	for (let waited = 0; ; ) {
		const open = all.filter(({ answer }) => answer === undefined)
		const entries = open.length > 0 ? await probeAndRead(lines, open) : []
		lines = entries ? open.flatMap((one, at) => advance(one, entries[at])) : []
		const left = end - performance.now()
		if (left <= 0 || open.every(({ answer }) => answer)) return all.map(({ answer }) => answer ?? { answers: false })
		const pause = Math.min(left, pauses[Math.min(waited, pauses.length - 1)] ?? left)
		if (lines.length > 0) continue
		waited++
		await sleep(pause)
	}
}

/**
 * Returns the next action for a neighbour in this kernel state. A permanent entry (`nud permanent`, or a link without ARP) cannot be probed
 * and must not be changed: it is treated as answering while it exists.
 *
 * @param state undefined if there is no entry
 */
export function nextProbe(state: string | undefined, probed: ProbeScope): NextProbe {
	switch (state) {
		case 'PERMANENT':
		case 'NOARP':
			return { is: 'answers' }
		case 'REACHABLE':
			return probed === 'nobody' ? { verb: 'change', how: 'nud probe', scope: 'one' } : { is: 'answers' }
		case 'STALE':
		case 'DELAY':
			return { verb: 'change', how: 'nud probe', scope: 'one' }
		case 'PROBE':
			return { wait: 'one' }
		case 'INCOMPLETE':
			return { wait: 'all' }
		case 'FAILED':
			return probed === 'all' ? { is: 'silent' } : { verb: 'change', how: 'use', scope: 'all' }
		default:
			return { verb: 'add', how: 'use', scope: 'all' }
	}
}

type OpenQuery = NeighbourQuery & { probed: ProbeScope; answer: NeighbourAnswer | undefined }
type Entry = { state?: string[]; lladdr?: string }

/** @returns the `ip` command that probes the neighbour next, if any */
function advance(one: OpenQuery, entry: Entry | undefined): string[] {
	const [state] = entry?.state ?? []
	const next = nextProbe(state, one.probed)
	if ('is' in next) {
		const mac = state === 'REACHABLE' ? entry?.lladdr?.toLowerCase() : undefined
		one.answer = { answers: next.is === 'answers', ...(mac !== undefined && { mac }) }
		return []
	}
	one.probed = 'wait' in next ? next.wait : next.scope
	return 'wait' in next ? [] : [`neigh ${next.verb} ${one.ip} dev ${deviceWord(one.link)} ${next.how}`]
}

/**
 * Runs one `ip` process for all queries, which first sends the probes and then reads the states.
 *
 * @returns undefined if a probe failed because the state of its neighbour has changed; `ip` then does not show all states
 */
async function probeAndRead(lines: readonly string[], open: readonly NeighbourQuery[]): Promise<(Entry | undefined)[] | undefined> {
	const reads = open.map(({ ip, link }) => `neigh show ${ip} dev ${deviceWord(link)}`)
	const { stdout } = await exec('ip', ['-j', '-force', '-batch', '-'], [...lines, ...reads].map(line => `${line}\n`).join(''))
	const shown = stdout.split('\n').filter(line => line.trim())
	return shown.length === open.length ? shown.map(line => (ipJson(line) as Entry[])[0]) : undefined
}
