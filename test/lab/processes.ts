import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process of this machine. */
export interface Process {
	pid: number
	parent: number
	argv: string[]
	/** Identities of its network, mount and process namespaces, as "net:[4026531840]". */
	namespaces: string[]
}

/** Every process of this machine that can be looked at. */
export function processes(): Process[] {
	return readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.flatMap(pid => look(pid))
}

/** A process and all that descend from it. */
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
		if (state === 'Z') return [] // ended, and its parent has not yet asked how
		const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
		const namespaces = ['net', 'mnt', 'pid'].map(kind => readlinkSync(`/proc/${pid}/ns/${kind}`))
		return [{ pid: Number(pid), parent: Number(parent), argv, namespaces }]
	} catch {
		return [] // gone while it was looked at
	}
}
