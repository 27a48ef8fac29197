import { readFileSync } from 'node:fs'

const everyMs = 500

/**
 * Calls back, once, when whoever started this process is gone. npm passes no SIGTERM on and cannot pass a SIGKILL: without this a lab
 * outlives the `npm start` it belongs to.
 */
export function whenOrphaned(callback: () => void): void {
	const before = lineage()
	const look = setInterval(() => {
		if (lineage() === before) return
		clearInterval(look)
		callback()
	}, everyMs)
	look.unref()
}

/** The parent, and the parent's parent where the parent is the shell that npm runs a script in. */
function lineage(): string {
	const parent = process.ppid
	const { name, parent: grandparent } = processOf(parent)
	return /^(sh|dash|bash)$/.test(name) ? `${parent} ${grandparent}` : `${parent}`
}

/** Name and parent of a process; empty and 0 when it is gone. */
function processOf(pid: number): { name: string; parent: number } {
	try {
		// "123 (name, which may hold anything) S 1 ..."
		const [, name = '', parent = '0'] = readFileSync(`/proc/${pid}/stat`, 'utf8').match(/\((.*)\) \S (\d+)/s) ?? []
		return { name, parent: Number(parent) }
	} catch {
		return { name: '', parent: 0 }
	}
}
