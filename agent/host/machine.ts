import { availableParallelism, release, totalmem } from 'node:os'
import type { Machine } from '../../contract/agent-run.ts'
import { type Firmware, machineOf } from '../report/machine.ts'
import { beginningOf, textOf } from './read.ts'

/**
 * Reads what the machine is, without a process: a few small files of the host, and what the kernel tells every container. It is done
 * once whatever is being started has been started, and so costs a run that waits for `ip` no time.
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

/** What DMI says, which OpenStack and hypervisors use to be known by. */
export function firmware(root: string): Firmware {
	const of = (name: string) => textOf(root, `/sys/class/dmi/id/${name}`)
	return { vendor: of('sys_vendor'), product: of('product_name'), assetTag: of('chassis_asset_tag') }
}

/** Not the whole, which repeats itself for every processor. */
function cpuinfo(root: string): string {
	try {
		return beginningOf(`${root}/proc/cpuinfo`, 4096) ?? ''
	} catch {
		return ''
	}
}

/** What the kernel counts, for a container's own count may be limited: `0-3,8` are five. */
function cpusIn(ranges: string): number {
	const parts = ranges === '' ? [] : ranges.split(',').map(range => range.split('-').map(Number))
	return parts.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}
