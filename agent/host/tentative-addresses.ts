import { ipJson } from '../ip/read-json.ts'
import { exec } from './exec.ts'

/** An IPv6 address that is still tentative, so not usable; `refused`: the kernel has detected that another host has it. */
export type Tentative = { link: number; ip: string; refused: boolean }

/** @returns the tentative addresses of all links (RFC 4862) */
export async function tentativeAddresses(): Promise<Tentative[]> {
	const { stdout } = await exec('ip', ['-6', '-j', 'addr', 'show', 'tentative'])
	const links = ipJson(stdout.trim() || '[]') as { ifindex?: number; addr_info?: { local: string; dadfailed?: boolean }[] }[]
	return links.flatMap(({ ifindex = 0, addr_info = [] }) =>
		addr_info.map(({ local, dadfailed = false }) => ({ link: ifindex, ip: local, refused: dadfailed })),
	)
}
