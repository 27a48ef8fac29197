import type { WantedInterface } from '../../contract/interface.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { CLOUD_INIT_DISABLED, CLOUD_INIT_FOLDER, CLOUD_INIT_OFF } from '../model/paths.ts'
import { recorded, recordOf } from '../model/record.ts'
import { isNetplan } from './backend.ts'
import { publicFile } from './common-files.ts'

/**
 * At every boot cloud-init gives the NICs that it knows their old names, whatever udev and netplan specify, unless its network
 * configuration is disabled. Returns the file that disables it, if cloud-init knows this NIC or may detect NICs again at every boot.
 *
 * @see cloud-init's "Network configuration sources": the system's configuration takes precedence over the data source's
 */
export function cloudInitFiles(nic: WantedInterface, host: HostState): Record<string, FileState> {
	const isNeeded = ((knows(nic, host) || host.cloudInit.everyBoot === true) && !isOff(host)) || isOurs(nic, host)
	return isNeeded ? { [CLOUD_INIT_OFF]: publicFile('network: {config: disabled}\n') } : {}
}

/** @returns why MultiNIC's file cannot prevent cloud-init from renaming this NIC; undefined: it can */
export function cloudInitConflict(nic: WantedInterface, host: HostState): string | undefined {
	if (host.cloudInit.forced && knows(nic, host) && host.files[CLOUD_INIT_DISABLED] === undefined)
		return 'the kernel command line of this host has network-config=, which takes precedence over the files of cloud-init'
}

/** Clouds whose NICs cloud-init reads at every boot unless a setting says otherwise; OpenStack and config drives are not among them. */
const EVERY_BOOT = new Set(['aws', 'azure', 'rbxcloud', 'scaleway', 'smartos'])

/**
 * Whether cloud-init reads its network configuration again at each boot, or when a NIC is plugged in, so that it may detect a NIC later.
 *
 * @param settings contents of its settings files and of the instance's; the last one that sets `updates.network.when` applies
 * @param cloud cloud-init's id of the cloud
 * @see cloud-init's "Events and updates"; default_update_events of its data sources
 */
export function readsAtEveryBoot(settings: readonly string[], cloud: string): boolean {
	const said = settings.flatMap(text => whenOf(text) ?? []).at(-1)
	return said === undefined ? EVERY_BOOT.has(cloud.trim()) : /\b(boot(-legacy)?|hotplug)\b(?!-)/.test(said)
}

/** Returns the list `updates.network.when`, on one line or on several. */
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

/** Whether another program or a user has disabled cloud-init or its network configuration. */
function isOff({ files }: HostState): boolean {
	const settings = Object.entries(files).filter(([path]) => path.startsWith(`${CLOUD_INIT_FOLDER}/`) && path !== CLOUD_INIT_OFF)
	return (
		files[CLOUD_INIT_DISABLED] !== undefined ||
		settings.some(([, { content }]) => /network["']?\s*:\s*(?:\{\s*)?["']?config["']?\s*:\s*["']?disabled/.test(content))
	)
}

/** Whether MultiNIC has written the file for this NIC. The file must stay, even if cloud-init no longer knows the NIC. */
function isOurs({ macAddress }: WantedInterface, host: HostState): boolean {
	return recorded(recordOf(host), macAddress)?.files[CLOUD_INIT_OFF] !== undefined
}
