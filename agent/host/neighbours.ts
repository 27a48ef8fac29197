import { exec } from './exec.ts'

/** Whether the machine with this address answers on this link (ifindex). */
export type Question = { ip: string; link: number }

/** How far a question has come: its last known address was asked, or everybody on the wire was. */
export type Asked = 'nobody' | 'one' | 'all'
export type Next = { is: 'answers' | 'silent' } | { wait: Asked } | { verb: 'add' | 'change'; how: 'use' | 'nud probe'; asks: Asked }

/**
 * Asks neighbours anew, all at once: that the kernel still knows an address from before the change says nothing. Needs no route. The
 * kernel asks a known address by unicast and an unknown one by broadcast (multicast), three times, a second apart; what it learns is
 * its own affair and ages like any other entry.
 *
 * @param withinMs milliseconds after which who has not answered is silent
 * @returns one answer a question, in their order
 */
export async function neighboursAnswer(questions: readonly Question[], withinMs: number): Promise<boolean[]> {
	const all = questions.map((question): Asking => ({ ...question, asked: 'nobody', answers: undefined }))
	const end = performance.now() + withinMs
	let lines: string[] = []
	for (let pause = 2; performance.now() < end; pause = Math.min(2 * pause, 200)) {
		const open = all.filter(({ answers }) => answers === undefined)
		if (open.length === 0) break
		const states = await tell(lines, open)
		lines = open.flatMap((one, at) => advance(one, nextOf(states[at], one.asked)))
		if (lines.length === 0) await new Promise(resolve => setTimeout(resolve, pause))
	}
	return all.map(({ answers }) => answers === true)
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

type Asking = Question & { asked: Asked; answers: boolean | undefined }

/** @returns what is to be told to the kernel */
function advance(one: Asking, next: Next): string[] {
	if ('is' in next) {
		one.answers = next.is === 'answers'
		return []
	}
	one.asked = 'wait' in next ? next.wait : next.asks
	return 'wait' in next ? [] : [`neigh ${next.verb} ${one.ip} dev if${one.link} ${next.how}`]
}

/** One process for all of them: first asks, then looks. A line that fails has met another state than was seen; the look tells. */
async function tell(lines: readonly string[], open: readonly Question[]): Promise<(string | undefined)[]> {
	const looks = open.map(({ ip, link }) => `neigh show ${ip} dev if${link}`)
	const { stdout } = await exec('ip', ['-j', '-force', '-batch', '-'], [...lines, ...looks].map(line => `${line}\n`).join(''))
	return stdout
		.split('\n')
		.filter(line => line.trim())
		.map(line => (JSON.parse(line) as { state?: string[] }[])[0]?.state?.[0])
}
