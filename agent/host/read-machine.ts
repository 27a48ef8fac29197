import { availableParallelism, release, totalmem } from 'node:os'
import type { Machine } from '../../contract/agent-run.ts'
import { describeMachine, type Firmware } from '../model/machine-description.ts'
import { readBeginning, readUtf8 } from './read-files.ts'

/**
 * Reads a description of the machine without starting a process: from a few small files of the host, and from what the kernel shows to
 * every container. Waits until all pending processes have started, so that it does not delay a run that waits for `ip`.
 *
 * @returns the description, with `unknown` for whatever cannot be read; never rejects
 */
export function readMachine(root: string): Promise<Machine> {
	return new Promise(resolve => setImmediate(() => resolve(read(root))))
}

function read(root: string): Machine {
	return describeMachine({
		osRelease: readUtf8(root, '/etc/os-release') || readUtf8(root, '/usr/lib/os-release'),
		kernel: release(),
		firmware: firmware(root),
		hypervisor: readUtf8(root, '/sys/hypervisor/type'),
		cpuinfo: cpuinfo(root),
		cpus: cpusIn(readUtf8(root, '/sys/devices/system/cpu/online')) || availableParallelism(),
		memory: totalmem(),
		bootId: readUtf8(root, '/proc/sys/kernel/random/boot_id'),
	})
}

/** DMI data, by which OpenStack and hypervisors usually identify themselves. */
export function firmware(root: string): Firmware {
	const of = (name: string) => readUtf8(root, `/sys/class/dmi/id/${name}`)
	return { vendor: of('sys_vendor'), product: of('product_name'), assetTag: of('chassis_asset_tag') }
}

/** Reads only the beginning, because the content repeats for every CPU. */
function cpuinfo(root: string): string {
	try {
		return readBeginning(`${root}/proc/cpuinfo`, 4096) ?? ''
	} catch {
		return ''
	}
}

/** Counts the CPUs in a list of the kernel (`0-3,8` is five), because the count in a container may be limited. */
function cpusIn(ranges: string): number {
	const parts = ranges === '' ? [] : ranges.split(',').map(range => range.split('-').map(Number))
	return parts.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}
