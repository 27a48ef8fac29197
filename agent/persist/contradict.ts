import type { WantedInterface } from '../../contract/interface.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { HostState } from '../host/state.ts'
import { CLOUD_INIT_DISABLED, CLOUD_INIT_FOLDER, netplanPath, UDEV_ETC_FOLDER } from '../paths.ts'
import { isNetplan } from './backend.ts'

export type Contradiction = { reason: Reason; message: string }

/** What else on the host speaks of this MAC and would have its way at the next boot. */
export function contradiction(nic: WantedInterface, host: HostState): Contradiction | undefined {
	return cloudInit(nic, host) ?? otherDefinition(nic, host) ?? laterUdevRule(nic, host)
}

/** cloud-init names NICs by MAC at every boot, whatever the files say, unless it is told to leave the network alone. */
function cloudInit(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const path = speakers(nic, host).find(name => isNetplan(name) && name.endsWith('-cloud-init.yaml'))
	if (path === undefined || isCloudInitOff(host)) return
	return { reason: 'CloudInitConflict', message: `cloud-init knows ${nic.macAddress} (${path}) and would rename it back at boot` }
}

function otherDefinition(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const path = speakers(nic, host).find(name => isNetplan(name) && name !== netplanPath(nic.name) && !name.endsWith('-cloud-init.yaml'))
	if (path !== undefined) return { reason: 'NotPersistent', message: `${path} also defines ${nic.macAddress}` }
}

/** The last rule that gives a NAME wins; netplan's for us is 99-netplan-multinicN.rules. */
function laterUdevRule(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const ours = `${UDEV_ETC_FOLDER}/99-netplan-${nic.name}.rules`
	const path = speakers(nic, host).find(
		name => name.startsWith(`${UDEV_ETC_FOLDER}/`) && name > ours && host.files[name]?.content.includes('NAME='),
	)
	if (path !== undefined) return { reason: 'NotPersistent', message: `${path} names ${nic.macAddress} otherwise` }
}

function speakers({ macAddress }: WantedInterface, { files }: HostState): string[] {
	return Object.entries(files).flatMap(([path, { content }]) => (content.toLowerCase().includes(macAddress) ? [path] : []))
}

function isCloudInitOff({ files }: HostState): boolean {
	const settings = Object.entries(files).filter(([path]) => path.startsWith(`${CLOUD_INIT_FOLDER}/`))
	return (
		files[CLOUD_INIT_DISABLED] !== undefined ||
		settings.some(([, { content }]) => /network["']?\s*:\s*\{?\s*["']?config["']?\s*:\s*["']?disabled/.test(content))
	)
}
