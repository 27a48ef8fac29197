import { closeSync, openSync, readSync } from 'node:fs'
import { availableParallelism, release, totalmem } from 'node:os'
import type { Machine } from '../../contract/agent-run.ts'
import { type Firmware, machineOf } from '../machine.ts'
import { readHostFile } from './files.ts'

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
		osRelease: text(root, '/etc/os-release') || text(root, '/usr/lib/os-release'),
		kernel: release(),
		firmware: firmware(root),
		hypervisor: text(root, '/sys/hypervisor/type'),
		cpuinfo: beginning(`${root}/proc/cpuinfo`),
		cpus: cpusIn(text(root, '/sys/devices/system/cpu/online')) || availableParallelism(),
		memory: totalmem(),
	})
}

/** What DMI says, which OpenStack and hypervisors use to be known by. */
export function firmware(root: string): Firmware {
	const of = (name: string) => text(root, `/sys/class/dmi/id/${name}`)
	return { vendor: of('sys_vendor'), product: of('product_name'), assetTag: of('chassis_asset_tag') }
}

/** What the kernel counts, for a container's own count may be limited: `0-3,8` are five. */
function cpusIn(ranges: string): number {
	const parts = ranges === '' ? [] : ranges.split(',').map(range => range.split('-').map(Number))
	return parts.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}

/** A file that cannot be read tells no more than one that is not there. */
function text(root: string, path: string): string {
	try {
		return readHostFile(root, path).trim()
	} catch {
		return ''
	}
}

/** Not the whole, which repeats itself for every processor. */
function beginning(path: string): string {
	try {
		const descriptor = openSync(path, 'r')
		try {
			const buffer = Buffer.alloc(4096)
			return buffer.toString('latin1', 0, readSync(descriptor, buffer))
		} finally {
			closeSync(descriptor)
		}
	} catch {
		return ''
	}
}
