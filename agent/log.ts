/** What a run tells while it goes on: one line a step. */
export type Log = {
	/** A step of the run: what (one word), and what came of it. */
	tell(what: string, words: string, facts?: Readonly<Record<string, unknown>>): void
	/** One interface: its name, its MAC, what it is and what becomes of it. */
	nic(name: string, mac: string, words: string): void
}

/** Lines for people, words in a column; or one JSON object a line. */
export function createLog(format: 'human' | 'json', write: (line: string) => void): Log {
	if (format === 'json') {
		const line = (facts: object) => write(`${JSON.stringify({ time: new Date().toISOString(), ...facts })}\n`)
		return {
			tell: (what, words, facts) => line({ msg: what, words, ...facts }),
			nic: (name, mac, words) => line({ msg: 'interface', name, mac, words }),
		}
	}
	return {
		tell: (what, words) => write(`${`${what.padEnd(15)} ${words}`.trimEnd()}\n`),
		nic: (name, mac, words) => write(`${name.padEnd(10)} ${mac}  ${words}\n`),
	}
}
