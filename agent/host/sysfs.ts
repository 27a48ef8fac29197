import { readlinkSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import type { FileState, Link } from '../model/host-state.ts'
import { parseRecord, type SysfsDevice } from '../model/record.ts'
import { namesIn } from './files.ts'
import { unlessMissing } from './resolve-path.ts'

/** Reads the devices of network links, as sysfs shows them in the network namespace of the host. */

/** @returns the device and driver of a link; empty for a virtual link */
export function deviceOf(root: string, name: string): Pick<Link, 'device'> {
	return (
		unlessMissing(() => {
			const sys = realpathSync(`${root}/sys`)
			const path = `/sys${realpathSync(`${sys}/class/net/${name}/device`).slice(sys.length)}`
			return { device: { path, driver: driverOf(root, path) } }
		}) ?? {}
	)
}

/**
 * Finds NICs whose link is in another network namespace: sysfs shows the links of one namespace only, so the device is still bound to the
 * driver that it had as a managed NIC, but shows no link. A device bound to another driver (vfio) has no link in any namespace.
 *
 * @returns MACs of recorded NICs that are not among the links for this reason
 */
export function inOtherNamespace(root: string, links: readonly Link[], record: FileState | undefined): string[] {
	const there = new Set(links.flatMap(({ mac, permanentMac }) => [mac, permanentMac]))
	// Searches the text first, because the record must be parsed only if a NIC is missing.
	const recorded = [...(record?.content ?? '').matchAll(/"mac":\s*"([0-9a-f:]{17})"/g)].map(([, mac = '']) => mac)
	if (recorded.every(mac => there.has(mac))) return []
	return devicesIn(record).flatMap(({ mac, device }) => (device && !there.has(mac) && isBoundWithoutLink(root, device) ? [mac] : []))
}

/** An invalid record is treated as empty; the run rejects it. */
function devicesIn(record: FileState | undefined): { mac: string; device?: SysfsDevice | undefined }[] {
	try {
		return parseRecord(record).links
	} catch {
		return []
	}
}

function isBoundWithoutLink(root: string, { path, driver }: SysfsDevice): boolean {
	return unlessMissing(() => driverOf(root, path)) === driver && namesIn(root, `${path}/net`).length === 0
}

function driverOf(root: string, path: string): string {
	return basename(readlinkSync(`${root}${path}/driver`))
}
