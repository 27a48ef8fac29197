import type { WantedInterface } from '../../contract/interface.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { HostState } from '../host/state.ts'
import { generated, netplanPath, rulePath, SCRIPTS_FOLDER, scriptPath, UDEV_ETC_FOLDER } from '../paths.ts'
import { addressesOf, familyOf, routesOf } from '../plan/routing.ts'
import { backendOf, isNetplan } from './backend.ts'
import { cloudInitConflict } from './cloud-init.ts'
import { definitionOf } from './definition.ts'
import { networkFileFor } from './networkd.ts'

export type Contradiction = { reason: Reason; message: string }

type Fact = (nic: WantedInterface, host: HostState) => Contradiction | undefined

/** Read top to bottom: the first that speaks says why a reboot would not bring this back. */
const facts: readonly Fact[] = [cloudInit, routesAlone, otherDefinition, otherScript, otherNetwork, laterUdevRule]

/** What else on the host speaks of this MAC and would have its way at the next boot. */
export function contradiction(nic: WantedInterface, host: HostState): Contradiction | undefined {
	for (const fact of facts) {
		const found = fact(nic, host)
		if (found) return found
	}
}

function cloudInit(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const conflict = cloudInitConflict(nic, host)
	if (conflict !== undefined)
		return { reason: 'CloudInitConflict', message: `cloud-init knows ${nic.macAddress} and would rename it back at boot: ${conflict}` }
}

/** NetworkManager gives a link the routes of a family only together with addresses of it. */
function routesAlone(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const found = backendOf(host)
	if (!('backend' in found) || found.backend === 'netplan-networkd') return
	const families = new Set(addressesOf(nic).map(familyOf))
	const alone = routesOf(nic, 0).find(({ family }) => !families.has(family))
	if (alone)
		return notPersistent(`${found.backend} cannot keep the route to ${alone.to} of ${nic.name}, which has no IPv${alone.family} address`)
}

/** Names it as well, so that netplan has two of the same; cloud-init's own names it by another name, which our rule overrules. */
function otherDefinition(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const others = speakers(nic, host).filter(name => isNetplan(name) && name !== netplanPath(nic.name))
	const path = others.find(name => definitionOf(host.files[name]?.content ?? '', nic.macAddress)?.includes('set-name') === false)
	if (path !== undefined) return notPersistent(`${path} also defines ${nic.macAddress}`)
}

function otherScript(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const path = speakers(nic, host).find(
		name =>
			name.startsWith(`${SCRIPTS_FOLDER}/ifcfg-`) &&
			name !== scriptPath('ifcfg', nic.name) &&
			!/^DEVICE=/m.test(host.files[name]?.content ?? ''),
	)
	if (path !== undefined) return notPersistent(`${path} also is for ${nic.macAddress}`)
}

function otherNetwork(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const found = backendOf(host)
	if (!('backend' in found) || found.backend !== 'netplan-networkd') return
	const path = networkFileFor(host.files, { name: nic.name, mac: nic.macAddress })
	if (path !== undefined && path !== generated.network(nic.name))
		return notPersistent(`systemd-networkd would follow ${path} for ${nic.name}`)
}

/** The last rule that gives a NAME wins. */
function laterUdevRule(nic: WantedInterface, host: HostState): Contradiction | undefined {
	const path = speakers(nic, host).find(
		name => name.startsWith(`${UDEV_ETC_FOLDER}/`) && name > rulePath(nic.name) && host.files[name]?.content.includes('NAME='),
	)
	if (path !== undefined) return notPersistent(`${path} names ${nic.macAddress} otherwise`)
}

function speakers({ macAddress }: WantedInterface, { files }: HostState): string[] {
	return Object.entries(files).flatMap(([path, { content }]) => (content.toLowerCase().includes(macAddress) ? [path] : []))
}

function notPersistent(message: string): Contradiction {
	return { reason: 'NotPersistent', message }
}
