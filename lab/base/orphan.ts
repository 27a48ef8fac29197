import { readFileSync } from 'node:fs'

const everyMs = 500

/**
 * Calls back once, when the process that started this one has exited. npm does not forward SIGTERM and cannot forward SIGKILL, so without
 * this check a lab would outlive its `npm start`.
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

/** Returns the parent's PID, and also the grandparent's PID if the parent is the shell in which npm runs a script. */
function ancestors(): string {
	const parent = process.ppid
	const { name, parent: grandparent } = processOf(parent)
	return /^(sh|dash|bash)$/.test(name) ? `${parent} ${grandparent}` : `${parent}`
}

/** Returns the name and parent PID of a process; the empty string and 0 if it has exited. */
function processOf(pid: number): { name: string; parent: number } {
	try {
		// "123 (name, which may contain anything) S 1 ..."
		const [, name = '', parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\((.*)\) \S (\d+)/s) ?? []
		return { name, parent: Number(parent) }
	} catch {
		return { name: '', parent: 0 }
	}
}
