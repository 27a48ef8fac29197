import { availableParallelism, release, totalmem } from 'node:os'
import type { Machine } from '../../contract/agent-run.ts'
import { type Firmware, machineOf } from '../model/machine-description.ts'
import { beginningOf, textOf } from './read-files.ts'

/**
 * Reads what the machine is without starting a process: from a few small files of the host, and from what the kernel shows to every
 * container. Runs after all pending processes are started, so that it does not delay a run that waits for `ip`.
 *
 * @returns `unknown` for what cannot be read; never rejects
 */
export function machine(root: string): Promise<Machine> {
	return new Promise(resolve => setImmediate(() => resolve(read(root))))
}

function read(root: string): Machine {
	return machineOf({
		osRelease: textOf(root, '/etc/os-release') || textOf(root, '/usr/lib/os-release'),
		kernel: release(),
		firmware: firmware(root),
		hypervisor: textOf(root, '/sys/hypervisor/type'),
		cpuinfo: cpuinfo(root),
		cpus: cpusIn(textOf(root, '/sys/devices/system/cpu/online')) || availableParallelism(),
		memory: totalmem(),
		bootId: textOf(root, '/proc/sys/kernel/random/boot_id'),
	})
}

/** DMI data, by which OpenStack and hypervisors usually identify themselves. */
export function firmware(root: string): Firmware {
	const of = (name: string) => textOf(root, `/sys/class/dmi/id/${name}`)
	return { vendor: of('sys_vendor'), product: of('product_name'), assetTag: of('chassis_asset_tag') }
}

/** Reads only the beginning, because the content repeats for every processor. */
function cpuinfo(root: string): string {
	try {
		return beginningOf(`${root}/proc/cpuinfo`, 4096) ?? ''
	} catch {
		return ''
	}
}

/** The kernel's count, because a container's own count may be limited: `0-3,8` are five. */
function cpusIn(ranges: string): number {
	const parts = ranges === '' ? [] : ranges.split(',').map(range => range.split('-').map(Number))
	return parts.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}
