import type { WantedInterface } from '../../contract/interface.ts'
import { sysctlsOf } from '../model/desired-network.ts'
import type { FileState } from '../model/host-state.ts'
import { HEAD } from '../model/own-files.ts'
import { rulePath, sysctlPath } from '../model/paths.ts'

/** Files that every backend needs in addition to its own: path → file. */
export function bootFiles(nic: WantedInterface): Record<string, FileState> {
	return {
		[rulePath(nic.name)]: publicFile(udevRule(nic)),
		[sysctlPath(nic.name)]: publicFile(sysctlConf(nic)),
	}
}

/** @returns a world-readable file */
export function publicFile(content: string): FileState {
	return { content: HEAD + content, mode: 0o644, gid: 0 }
}

/** @returns a file that only root may read: NetworkManager rejects any other, and netplan warns about it */
export function privateFile(content: string): FileState {
	return { content: HEAD + content, mode: 0o600, gid: 0 }
}

/**
 * The last rule that assigns NAME wins, even over .link files; this one comes after netplan's rules and those that cloud-init has left.
 * DRIVERS limits it to devices with a driver, because VLANs and bonds copy the MAC of a device below them. systemd's own rule,
 * 99-systemd.rules, comes before it and applies the sysctls for the name that the NIC has at that point; RUN applies those for the name
 * assigned here, after the rename. @see udev(7)
 */
function udevRule({ macAddress, name }: WantedInterface): string {
	const settings = ['ipv4', 'ipv6'].map(family => `--prefix=/net/${family}/conf/${name}`).join(' ')
	const match = `ACTION=="add", SUBSYSTEM=="net", DRIVERS=="?*", ATTR{address}=="${macAddress}"`
	return `${match}, NAME="${name}", RUN+="/lib/systemd/systemd-sysctl ${settings}"\n`
}

/** With a leading `-`, a sysctl that this kernel does not have is ignored. @see sysctl.d(5) */
function sysctlConf(nic: WantedInterface): string {
	const lines = Object.entries(sysctlsOf(nic)).map(([key, value]) => {
		const [family = '', setting = ''] = key.split('/')
		return `-net.${family}.conf.${nic.name}.${setting} = ${value}\n`
	})
	return lines.join('')
}
