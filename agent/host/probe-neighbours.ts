import { setTimeout as sleep } from 'node:timers/promises'
import { deviceWord } from '../ip/device-word.ts'
import { ipJson } from '../ip/ip-json.ts'
import { exec } from './exec.ts'

/** Whether the host with this address answers on this link (ifindex). */
export type Question = { ip: string; link: number }

/** Which hosts have been probed so far: none, the last known MAC, or all on the link. */
export type Asked = 'nobody' | 'one' | 'all'
export type Next = { is: 'answers' | 'silent' } | { wait: Asked } | { verb: 'add' | 'change'; how: 'use' | 'nud probe'; asks: Asked }

/** Whether a host answered, and its MAC. If it answers without a MAC, it could not be probed and counts as present. */
export type Answer = { answers: boolean; mac?: string }

/** Returns whether neighbours answer, probed as by `askNeighbours`. */
export async function neighboursAnswer(questions: readonly Question[], withinMs: number): Promise<boolean[]> {
	return (await askNeighbours(questions, withinMs)).map(({ answers }) => answers)
}

/** Pauses between two polls, in milliseconds; the last one repeats. */
const SOON = [2, 6, 16, 32, 64, 128, 200]

/**
 * Probes neighbours again, all concurrently, because an address that the kernel still knows from before the change proves nothing. Needs no
 * route. The kernel probes a known address by unicast and an unknown one by broadcast (multicast), three times, one second apart. What it
 * learns is kept by the kernel alone and ages like any other entry.
 *
 * @param withinMs milliseconds after which a neighbour that has not answered counts as silent
 * @param pauses between two polls, each a process, in milliseconds; the last one repeats
 * @returns one answer per question, in order
 */
export async function askNeighbours(questions: readonly Question[], withinMs: number, pauses: readonly number[] = SOON): Promise<Answer[]> {
	const all = questions.map((question): Asking => ({ ...question, asked: 'nobody', answer: undefined }))
	const end = performance.now() + withinMs
	let lines: string[] = []
	for (let waited = 0; ; ) {
		const open = all.filter(({ answer }) => answer === undefined)
		const entries = open.length > 0 ? await tell(lines, open) : []
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
 * Returns the action for the kernel's state of a neighbour. A permanent entry (`nud permanent`, or a link without ARP) cannot be probed and
 * must not be touched: it counts as answering while it exists.
 *
 * @param state undefined: there is no entry
 */
export function nextOf(state: string | undefined, asked: Asked): Next {
	switch (state) {
		case 'PERMANENT':
		case 'NOARP':
			return { is: 'answers' }
		case 'REACHABLE':
			return asked === 'nobody' ? { verb: 'change', how: 'nud probe', asks: 'one' } : { is: 'answers' }
		case 'STALE':
		case 'DELAY':
			return { verb: 'change', how: 'nud probe', asks: 'one' }
		case 'PROBE':
			return { wait: 'one' }
		case 'INCOMPLETE':
			return { wait: 'all' }
		case 'FAILED':
			return asked === 'all' ? { is: 'silent' } : { verb: 'change', how: 'use', asks: 'all' }
		default:
			return { verb: 'add', how: 'use', asks: 'all' }
	}
}

type Asking = Question & { asked: Asked; answer: Answer | undefined }
type Entry = { state?: string[]; lladdr?: string }

/** @returns the commands for the kernel */
function advance(one: Asking, entry: Entry | undefined): string[] {
	const [state] = entry?.state ?? []
	const next = nextOf(state, one.asked)
	if ('is' in next) {
		const mac = state === 'REACHABLE' ? entry?.lladdr?.toLowerCase() : undefined
		one.answer = { answers: next.is === 'answers', ...(mac !== undefined && { mac }) }
		return []
	}
	one.asked = 'wait' in next ? next.wait : next.asks
	return 'wait' in next ? [] : [`neigh ${next.verb} ${one.ip} dev ${deviceWord(one.link)} ${next.how}`]
}

/**
 * Runs one process for all of them: first sends the probes, then reads the states.
 *
 * @returns undefined if a probe failed, because `ip` then shows nothing after it: the state was no longer the one seen before
 */
async function tell(lines: readonly string[], open: readonly Question[]): Promise<(Entry | undefined)[] | undefined> {
	const looks = open.map(({ ip, link }) => `neigh show ${ip} dev ${deviceWord(link)}`)
	const { stdout } = await exec('ip', ['-j', '-force', '-batch', '-'], [...lines, ...looks].map(line => `${line}\n`).join(''))
	const shown = stdout.split('\n').filter(line => line.trim())
	return shown.length === open.length ? shown.map(line => (ipJson(line) as Entry[])[0]) : undefined
}
