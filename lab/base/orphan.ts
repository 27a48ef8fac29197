import { readFileSync } from 'node:fs'

const everyMs = 500

/**
 * Calls back, once, when the process that started this one is gone. npm does not forward SIGTERM and cannot forward SIGKILL: without this,
 * a lab outlives the `npm start` that it belongs to.
 */
export function whenOrphaned(callback: () => void): void {
	const before = ancestors()
	const poll = setInterval(() => {
		if (ancestors() === before) return
		clearInterval(poll)
		callback()
	}, everyMs)
	poll.unref()
}

/** Returns the parent, and the parent's parent if the parent is the shell in which npm runs a script. */
function ancestors(): string {
	const parent = process.ppid
	const { name, parent: grandparent } = processOf(parent)
	return /^(sh|dash|bash)$/.test(name) ? `${parent} ${grandparent}` : `${parent}`
}

/** Returns name and parent of a process; empty and 0 if it is gone. */
function processOf(pid: number): { name: string; parent: number } {
	try {
		// "123 (name, which may contain anything) S 1 ..."
		const [, name = '', parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\((.*)\) \S (\d+)/s) ?? []
		return { name, parent: Number(parent) }
	} catch {
		return { name: '', parent: 0 }
	}
}
