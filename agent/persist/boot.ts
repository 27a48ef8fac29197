import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState } from '../host/state.ts'
import { rulePath, sysctlPath } from '../paths.ts'
import { sysctlsOf } from '../plan/routing.ts'

/** The first line of every file of ours. */
export const HEAD = '# MultiNIC wrote this and will write it again. Change the MultiNicNodeConfig instead.\n'

/** What every backend needs beside its own files: path → file. */
export function bootFiles(nic: WantedInterface): Record<string, FileState> {
	return {
		[rulePath(nic.name)]: publicFile(udevRule(nic)),
		[sysctlPath(nic.name)]: publicFile(sysctlConf(nic)),
	}
}

/** @returns a file that anybody may read */
export function publicFile(content: string): FileState {
	return { content: HEAD + content, mode: 0o644, gid: 0 }
}

/** @returns a file that only root may read: NetworkManager and netplan refuse, or complain of, any other */
export function privateFile(content: string): FileState {
	return { content: HEAD + content, mode: 0o600, gid: 0 }
}

/**
 * The last rule that gives a NAME wins, over any .link too; this one comes after netplan's and those that cloud-init left. DRIVERS keeps
 * it to devices, for VLANs and bonds copy the MAC of theirs. systemd's own rule, 99-systemd.rules, comes before it and applies the settings
 * of the name that the NIC has by then; RUN applies those of the name given here, after the renaming. @see udev(7)
 */
function udevRule({ macAddress, name }: WantedInterface): string {
	const settings = ['ipv4', 'ipv6'].map(family => `--prefix=/net/${family}/conf/${name}`).join(' ')
	const match = `ACTION=="add", SUBSYSTEM=="net", DRIVERS=="?*", ATTR{address}=="${macAddress}"`
	return `${match}, NAME="${name}", RUN+="/lib/systemd/systemd-sysctl ${settings}"\n`
}

/** A leading `-`: a setting that this kernel does not have is passed over. @see sysctl.d(5) */
function sysctlConf(nic: WantedInterface): string {
	const lines = Object.entries(sysctlsOf(nic)).map(([key, value]) => {
		const [family = '', setting = ''] = key.split('/')
		return `-net.${family}.conf.${nic.name}.${setting} = ${value}\n`
	})
	return lines.join('')
}
