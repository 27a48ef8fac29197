import * as z from 'zod'
import { canonicalIp } from '../../contract/ip.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { Ip, Mac } from '../../contract/primitives.ts'
import type { Link } from '../host/state.ts'
import type { Firmware } from '../report/machine.ts'
import { identityOf } from '../plan/match.ts'
import type { Warning } from './own-gateway.ts'
import { addressesOf, familyOf, ipOf } from '../plan/routing.ts'

/** What a host says that Nova may have made. */
export type Signs = { firmware: Firmware; cloudId: string; configDrive: boolean }

const products = ['OpenStack Nova', 'OpenStack Compute']
/** Of clouds that hide Nova's own name. @see DataSourceOpenStack of cloud-init */
const assetTags = [...products, 'OpenTelekomCloud', 'SAP CCloud VM', 'HUAWEICLOUD', 'Samsung Cloud Platform']

/** Whether anything here suggests a VM of OpenStack; on any other machine nobody is asked. */
export function isOpenStack({ firmware: { vendor, product, assetTag }, cloudId, configDrive }: Signs): boolean {
	const made = vendor === 'OpenStack Foundation' || products.includes(product) || assetTags.includes(assetTag)
	return made || ['openstack', 'configdrive'].includes(cloudId) || configDrive
}

/** network_data.json, as far as it matters here. @see Nova's doc/api_schemas/network_data.json */
export const NetworkData = z.object({
	links: z
		.array(
			z.object({
				id: z.string(),
				/** A VLAN has its MAC elsewhere, and what is no Ethernet another kind of it. */
				ethernet_mac_address: Mac.optional().catch(undefined),
				/** null where a subnet has DHCP, which tells it instead. */
				mtu: z.int().min(0).nullish(),
			}),
		)
		.default([]),
	networks: z
		.array(
			z.object({
				link: z.string(),
				/** Absent where DHCP tells it. Nova writes it without a prefix length, others with one. */
				ip_address: z
					.string()
					.transform(text => text.replace(/\/\d+$/, ''))
					.pipe(Ip)
					.optional()
					.catch(undefined),
			}),
		)
		.default([]),
})
export type NetworkData = z.infer<typeof NetworkData>

/** From whom it was heard. The service lags behind by 15 s at most; the others say what was true when they were written. */
export type Source = 'metadata service' | 'copy of cloud-init' | 'config drive'
export type Told = { source: Source; data: NetworkData }

/**
 * Compares what is wanted with what Nova says of the same MAC. Nova does not list a port without an address, and of one with several
 * addresses only the first of each family; it names neither address nor MTU where a subnet has DHCP. What it does not say is no mismatch.
 *
 * @param links of the host
 * @returns id → warning; undefined when the answer lists none of the host's links, and so is about another machine
 */
export function mismatches(
	wanted: readonly WantedInterface[],
	links: readonly Link[],
	{ source, data }: Told,
): Map<number, Warning> | undefined {
	const ports = new Map(data.links.flatMap(link => (link.ethernet_mac_address ? [[link.ethernet_mac_address, link] as const] : [])))
	if (!links.some(link => ports.has(identityOf(link)))) return undefined
	return new Map(
		wanted.flatMap(nic => {
			const port = ports.get(nic.macAddress)
			const words = port ? [...wrongAddresses(nic, addressesAt(port.id, data)), ...wrongMtu(nic, port)] : notListed(nic, source)
			const message = `${words.join(', ')} (${sourceWords[source]})`
			return words.length > 0 ? [[nic.id, { reason: 'PortMismatch', message }] as const] : []
		}),
	)
}

type Port = NetworkData['links'][number]

const sourceWords: Record<Source, string> = {
	'metadata service': 'metadata service',
	'copy of cloud-init': 'copy of cloud-init, which may be old',
	'config drive': 'config drive, which may be old',
}

/** Only the service knows of ports that were attached while the VM ran. */
function notListed({ address }: WantedInterface, source: Source): string[] {
	return address !== undefined && source === 'metadata service'
		? ['Nova lists no port of this VM with this MAC, and may be 15 s behind']
		: []
}

function addressesAt(link: string, { networks }: NetworkData): string[] {
	return networks.flatMap(network => (network.link === link && network.ip_address !== undefined ? [canonicalIp(network.ip_address)] : []))
}

function wrongAddresses(nic: WantedInterface, told: readonly string[]): string[] {
	const wanted = addressesOf(nic).map(ipOf)
	return ([4, 6] as const).flatMap(family => {
		const [ours, theirs] = [wanted, told].map(ips => ips.filter(ip => familyOf(ip) === family)) as [string[], string[]]
		if (ours.length === 0 || theirs.length === 0 || theirs.some(ip => ours.includes(ip))) return []
		return [`Nova gives this MAC ${theirs.join(' and ')}, not ${ours.join(' and ')}`]
	})
}

function wrongMtu({ mtu }: WantedInterface, port: Port): string[] {
	return mtu !== undefined && port.mtu && port.mtu !== mtu ? [`Nova gives this MAC an MTU of ${port.mtu}, not ${mtu}`] : []
}
