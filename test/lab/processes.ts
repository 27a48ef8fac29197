import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process on this machine. */
export interface Process {
	pid: number
	parent: number
	argv: string[]
	/** IDs of its network, mount and process namespaces, such as "net:[4026531840]". */
	namespaces: string[]
}

/** Returns every process of this machine that can be read. */
export function processes(): Process[] {
	return readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.flatMap(pid => look(pid))
}

/** Returns a process and all its descendants. */
export function family(pid: number): Process[] {
	const all = processes()
	const members = all.filter(one => one.pid === pid)
	for (const member of members) members.push(...all.filter(one => one.parent === member.pid))
	return members
}

function look(pid: string): Process[] {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
		const [, state, parent] = stat.match(/\) (\S) (\d+)/) ?? []
		if (state === 'Z') return [] // ended, but its parent has not reaped it yet
		const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
		const namespaces = ['net', 'mnt', 'pid'].map(kind => readlinkSync(`/proc/${pid}/ns/${kind}`))
		return [{ pid: Number(pid), parent: Number(parent), argv, namespaces }]
	} catch {
		return [] // it ended while it was read
	}
}
