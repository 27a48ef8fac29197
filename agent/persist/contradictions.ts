import type { WantedInterface } from '../../contract/interface.ts'
import type { Contradiction } from '../model/boot-proof.ts'
import { type Check, firstOf } from '../model/check.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import type { HostState } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { familyOf } from '../model/networks.ts'
import { generated, RECORD_PATH } from '../model/paths.ts'
import { parseRecord, recorded } from '../model/record.ts'
import { backendOf } from './backend.ts'
import { cloudInitConflict } from './cloud-init.ts'
import { publicFile } from './common-files.ts'
import { bootNames, matchedName, networkFileFor, sortsBefore, withDropIns } from './networkd-match.ts'
import { definitionsOf, definitionWords } from './second-definition.ts'

type CheckInput = { nic: WantedInterface; host: HostState }

/** Run in order: the first check that finds a contradiction determines why a reboot would not restore the interface. */
const checks: readonly Check<CheckInput, Contradiction>[] = [cloudInit, routesAlone, secondDefinition, otherNetwork]

/**
 * @returns id → what would override MultiNIC's files at the next boot; a file that defines several managed NICs is reported on the first
 */
export function contradictions(nics: readonly WantedInterface[], host: HostState): Map<number, Contradiction> {
	const all = nics.flatMap(nic => {
		const found = contradiction(nic, host)
		return found ? [{ nic, ...found }] : []
	})
	const firsts = all.filter(({ path }, at) => path === undefined || all.findIndex(other => other.path === path) === at)
	return new Map(
		firsts.map(({ nic, path, reason, message, isUnclear = false }) => {
			const others = all.flatMap(other => (path !== undefined && other.path === path && other.nic !== nic ? [other.nic.name] : []))
			return [nic.id, { reason, message: others.length === 0 ? message : `${message}, and also ${others.join(', ')}`, isUnclear }]
		}),
	)
}

/** Finds what else on the host refers to this MAC and would take precedence at the next boot. */
export function contradiction(nic: WantedInterface, host: HostState): Contradiction | undefined {
	return firstOf(checks, { nic, host })
}

function cloudInit({ nic, host }: CheckInput): Contradiction | undefined {
	const conflict = cloudInitConflict(nic, host)
	if (conflict !== undefined)
		return { reason: 'CloudInitConflict', message: `cloud-init has stored ${nic.macAddress} and would rename the NIC at boot: ${conflict}` }
}

/** NetworkManager adds the routes of a family to a link only together with addresses of that family. */
function routesAlone({ nic, host }: CheckInput): Contradiction | undefined {
	const found = backendOf(host)
	if (!('backend' in found) || found.backend === 'netplan-networkd') return
	const families = new Set(addressesOf(nic).map(familyOf))
	const alone = routesOf(nic, 0).find(({ family }) => !families.has(family))
	if (alone)
		return notPersistent(`${found.backend} cannot keep the route to ${alone.to} of ${nic.name}, which has no IPv${alone.family} address`)
}

function secondDefinition({ nic, host }: CheckInput): Contradiction | undefined {
	const found = definitionsOf(nic, host).find(({ applied }) => applied !== 'ours')
	if (found) return { ...notPersistent(definitionWords(found, nic)), path: found.path, isUnclear: found.by === 'unclear' }
}

function otherNetwork({ nic, host }: CheckInput): Contradiction | undefined {
	const found = backendOf(host)
	if (!('backend' in found) || found.backend !== 'netplan-networkd') return
	const ours = generated.network(nic.name)
	const link = host.links.find(one => identityOf(one) === nic.macAddress)
	const names = bootNames(nic, link, recorded(parseRecord(host.files[RECORD_PATH]), nic.macAddress)?.original)
	// netplan generates MultiNIC's .network file at boot, whether or not it exists now.
	const files = { ...host.files, [ours]: publicFile(`[Match]\nMACAddress=${nic.macAddress}\nName=${nic.name}\n`) }
	const path = networkFileFor(files, { names, mac: nic.macAddress })
	if (path !== undefined && path !== ours) {
		const other = byOtherName(matchedName(withDropIns(files, path), { names, mac: nic.macAddress }), nic)
		return notPersistent(`systemd-networkd would apply ${path} to ${nic.name}${other} (cat ${path})`)
	}
	const now = link?.networkFile
	if (now !== undefined && now !== ours && host.files[now] === undefined && sortsBefore(now, ours))
		return notPersistent(`systemd-networkd configures ${nic.name} from ${now}, which cannot be read (networkctl status ${nic.name})`)
}

function byOtherName(matched: string | undefined, { name }: WantedInterface): string {
	return matched === undefined || matched === name ? '' : `, which also has the name ${matched}`
}

function notPersistent(message: string): Contradiction {
	return { reason: 'NotPersistent', message }
}
