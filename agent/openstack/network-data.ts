import * as z from 'zod'
import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, ipOf } from '../../contract/ip.ts'
import { Ip, Mac } from '../../contract/primitives.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { Link } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import type { Firmware } from '../model/machine-description.ts'
import { familyOf } from '../model/networks.ts'
import type { Warning } from '../model/warning.ts'

/** Signs on a host that Nova may have made it. */
export type Signs = { firmware: Firmware; cloudId: string; configDrive: boolean }

const products = ['OpenStack Nova', 'OpenStack Compute']
/** Including those of clouds that hide Nova's own name. @see DataSourceOpenStack of cloud-init */
const assetTags = [...products, 'OpenTelekomCloud', 'SAP CCloud VM', 'HUAWEICLOUD', 'Samsung Cloud Platform']

/** Whether anything here suggests an OpenStack VM; on any other machine no request is sent. */
export function isOpenStack({ firmware: { vendor, product, assetTag }, cloudId, configDrive }: Signs): boolean {
	const made = vendor === 'OpenStack Foundation' || products.includes(product) || assetTags.includes(assetTag)
	return made || ['openstack', 'configdrive'].includes(cloudId) || configDrive
}

/** The parts of network_data.json that matter here. @see Nova's doc/api_schemas/network_data.json */
export const NetworkData = z.object({
	links: z
		.array(
			z.object({
				id: z.string(),
				/** A VLAN has its MAC elsewhere, and a link that is not Ethernet has another kind of address. */
				ethernet_mac_address: Mac.optional().catch(undefined),
				/** null if the subnet has DHCP, which provides it instead. */
				mtu: z.int().min(0).nullish(),
			}),
		)
		.default([]),
	networks: z
		.array(
			z.object({
				link: z.string(),
				/** Absent if DHCP provides it. Nova writes it without a prefix length, others with one. */
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

/** Where the data comes from. The service lags behind by 15 s at most; the others hold what was true when they were written. */
export type Source = 'metadata service' | 'copy of cloud-init' | 'config drive'
export type Told = { source: Source; data: NetworkData }

/**
 * Compares the desired state with what Nova reports for the same MAC. Nova does not list a port without an address, and of one with several
 * addresses only the first of each family; it lists neither address nor MTU if a subnet has DHCP. What it does not list is not a mismatch.
 *
 * @param links of the host
 * @returns id → warning; undefined when the response lists no link of this host, and so is about another machine
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

/** Only the service knows the ports that were attached while the VM ran. */
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
