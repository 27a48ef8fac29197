import { deviceWord } from './device.ts'
import { exec } from './exec.ts'
import { ipJson } from './ip-json.ts'

/** Whether the machine with this address answers on this link (ifindex). */
export type Question = { ip: string; link: number }

/** How far a question has come: its last known address was asked, or everybody on the wire was. */
export type Asked = 'nobody' | 'one' | 'all'
export type Next = { is: 'answers' | 'silent' } | { wait: Asked } | { verb: 'add' | 'change'; how: 'use' | 'nud probe'; asks: Asked }

/** Who answered, if somebody did; without a MAC it could not be asked, and counts as there. */
export type Answer = { answers: boolean; mac?: string }

/** Whether neighbours answer, asked as `askNeighbours` does. */
export async function neighboursAnswer(questions: readonly Question[], withinMs: number): Promise<boolean[]> {
	return (await askNeighbours(questions, withinMs)).map(({ answers }) => answers)
}

/** Between two looks, in milliseconds; the last again and again. */
const SOON = [2, 6, 16, 32, 64, 128, 200]

/**
 * Asks neighbours anew, all at once: that the kernel still knows an address from before the change says nothing. Needs no route. The
 * kernel asks a known address by unicast and an unknown one by broadcast (multicast), three times, a second apart; what it learns is
 * its own affair and ages like any other entry.
 *
 * @param withinMs milliseconds after which who has not answered is silent
 * @param pauses between two looks, each a process, in milliseconds; the last again and again
 * @returns one answer a question, in their order
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
		await new Promise(resolve => setTimeout(resolve, pause))
	}
}

/**
 * What the kernel's state of a neighbour calls for. One that somebody has set for good (`nud permanent`, or a link without ARP) cannot
 * be asked and must not be touched: it counts as answering for as long as it stands.
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

/** @returns what is to be told to the kernel */
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
 * One process for all of them: first asks, then looks.
 *
 * @returns undefined when an ask has failed, for then `ip` shows nothing after it: the state was another than the one seen before
 */
async function tell(lines: readonly string[], open: readonly Question[]): Promise<(Entry | undefined)[] | undefined> {
	const looks = open.map(({ ip, link }) => `neigh show ${ip} dev ${deviceWord(link)}`)
	const { stdout } = await exec('ip', ['-j', '-force', '-batch', '-'], [...lines, ...looks].map(line => `${line}\n`).join(''))
	const shown = stdout.split('\n').filter(line => line.trim())
	return shown.length === open.length ? shown.map(line => (ipJson(line) as Entry[])[0]) : undefined
}
