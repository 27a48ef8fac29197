import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { CLOUD_INIT_DISABLED, CLOUD_INIT_FOLDER, CLOUD_INIT_OFF } from '../model/paths.ts'
import { recorded, recordOf } from '../model/record.ts'
import { isNetplan } from './backend.ts'
import { publicFile } from './common-files.ts'

/**
 * At every boot cloud-init assigns the NICs that it knows their old names, whatever udev and netplan say, unless it is configured to leave
 * the network alone. This file does that while it knows a managed NIC, or if it reads at every boot which NICs exist.
 *
 * @see cloud-init's "Network configuration sources": the system's configuration goes before the data source's
 */
export function cloudInitFiles(nic: WantedInterface, host: HostState): Record<string, FileState> {
	const isNeeded = ((knows(nic, host) || host.cloudInit.everyBoot === true) && !isOff(host)) || isOurs(nic, host)
	return isNeeded ? { [CLOUD_INIT_OFF]: publicFile('network: {config: disabled}\n') } : {}
}

/** @returns why MultiNIC's file cannot keep cloud-init from renaming this NIC, if that is so */
export function cloudInitConflict(nic: WantedInterface, host: HostState): string | undefined {
	if (host.cloudInit.forced && knows(nic, host) && host.files[CLOUD_INIT_DISABLED] === undefined)
		return 'the kernel command line of this host has network-config=, which cloud-init obeys before any file'
}

/** Clouds whose NICs cloud-init reads at every boot unless a setting says otherwise; OpenStack and config drives are not among them. */
const EVERY_BOOT = new Set(['aws', 'azure', 'rbxcloud', 'scaleway', 'smartos'])

/**
 * Whether cloud-init reads its network configuration again at each boot, or when a NIC is plugged in, so that it may learn of a NIC later.
 *
 * @param settings texts of its settings and of the instance's; the last that says when counts
 * @param cloud its id of the cloud
 * @see cloud-init's "Events and updates"; default_update_events of its data sources
 */
export function readsAtEveryBoot(settings: readonly string[], cloud: string): boolean {
	const said = settings.flatMap(text => whenOf(text) ?? []).at(-1)
	return said === undefined ? EVERY_BOOT.has(cloud.trim()) : /\b(boot(-legacy)?|hotplug)\b(?!-)/.test(said)
}

/** Matches a list on one line or on several. */
function whenOf(text: string): string | undefined {
	const plain = text.replace(/^[ \t]*#.*$/gm, '')
	const updates = /["']?\bupdates["']?\s*:[\s{]*["']?network["']?\s*:[\s{]*["']?when["']?\s*:\s*(\[[^\]]*\]|(?:\s*-\s+\S+)+)/
	return updates.exec(plain)?.[1]
}

function knows({ macAddress }: WantedInterface, { cloudInit, files }: HostState): boolean {
	const names = (path: string) => isNetplan(path) && path.endsWith('-cloud-init.yaml')
	return (
		cloudInit.macs.includes(macAddress) ||
		Object.entries(files).some(([path, { content }]) => names(path) && content.toLowerCase().includes(macAddress))
	)
}

/** Whether another program or a user has disabled it. */
function isOff({ files }: HostState): boolean {
	const settings = Object.entries(files).filter(([path]) => path.startsWith(`${CLOUD_INIT_FOLDER}/`) && path !== CLOUD_INIT_OFF)
	return (
		files[CLOUD_INIT_DISABLED] !== undefined ||
		settings.some(([, { content }]) => /network["']?\s*:\s*(?:\{\s*)?["']?config["']?\s*:\s*["']?disabled/.test(content))
	)
}

/** Once disabled, cloud-init may forget the NIC, but must stay disabled. */
function isOurs({ macAddress }: WantedInterface, host: HostState): boolean {
	return recorded(recordOf(host), macAddress)?.files[CLOUD_INIT_OFF] !== undefined
}
