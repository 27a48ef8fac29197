import type { HostState } from '../host/state.ts'
import { NETPLAN_FOLDERS } from '../paths.ts'

/** How a host keeps its network settings. */
export type Backend = 'netplan-networkd'

/** @returns the backend, or a sentence that says why none of ours fits */
export function backendOf({ netplan, files }: HostState): { backend: Backend } | { unknown: string } {
	if (!netplan) return { unknown: 'there is no /etc/netplan on this host, and no other way of keeping network settings is known yet' }
	const other = Object.entries(files).find(
		([path, { content }]) => isNetplan(path) && /renderer["']?\s*:\s*["']?NetworkManager/.test(content),
	)
	if (other) return { unknown: `${other[0]} hands the network to NetworkManager; only netplan with systemd-networkd is known yet` }
	return { backend: 'netplan-networkd' }
}

/** Whether netplan reads this file. */
export function isNetplan(path: string): boolean {
	return NETPLAN_FOLDERS.some(folder => path.startsWith(`${folder}/`)) && path.endsWith('.yaml')
}
