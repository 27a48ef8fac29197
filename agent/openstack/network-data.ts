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

/** Signs that Nova may have created this host. */
export type Signs = { firmware: Firmware; cloudId: string; configDrive: boolean }

const products = ['OpenStack Nova', 'OpenStack Compute']
/** Includes the asset tags of clouds that hide Nova's own name. @see DataSourceOpenStack of cloud-init */
const assetTags = [...products, 'OpenTelekomCloud', 'SAP CCloud VM', 'HUAWEICLOUD', 'Samsung Cloud Platform']

/** Whether anything suggests that this is an OpenStack VM. On any other machine, no request is sent. */
export function isOpenStack({ firmware: { vendor, product, assetTag }, cloudId, configDrive }: Signs): boolean {
	const made = vendor === 'OpenStack Foundation' || products.includes(product) || assetTags.includes(assetTag)
	return made || ['openstack', 'configdrive'].includes(cloudId) || configDrive
}

/** The parts of network_data.json that are compared. @see Nova's doc/api_schemas/network_data.json */
export const NetworkData = z.object({
	links: z
		.array(
			z.object({
				id: z.string(),
				/** Absent for a VLAN, which has its MAC in another key, and for a link that is not Ethernet. */
				ethernet_mac_address: Mac.optional().catch(undefined),
				/** null if the subnet has DHCP, which then provides the MTU. */
				mtu: z.int().min(0).nullish(),
			}),
		)
		.default([]),
	networks: z
		.array(
			z.object({
				link: z.string(),
				/** Absent if DHCP provides the address. Nova writes it without a prefix length, other sources with one. */
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

/** The source of the data. The service lags by at most 15 s; the other sources contain the data as of when they were written. */
export type DataSource = 'metadata service' | 'copy of cloud-init' | 'config drive'
export type OpenStackData = { source: DataSource; data: NetworkData }

/**
 * Compares the desired state with what Nova reports for the same MAC. Nova does not list a port without an address. If a port has several
 * addresses, Nova lists only the first of each family. If a subnet has DHCP, Nova lists neither its address nor its MTU. A missing value is
 * not a mismatch.
 *
 * @param links of the host
 * @returns ID → warning; undefined when the response lists no link of this host, so that it describes another machine
 */
export function mismatches(
	wanted: readonly WantedInterface[],
	links: readonly Link[],
	{ source, data }: OpenStackData,
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

const sourceWords: Record<DataSource, string> = {
	'metadata service': 'metadata service',
	'copy of cloud-init': 'copy of cloud-init, which may be old',
	'config drive': 'config drive, which may be old',
}

/** Only the metadata service knows ports that were attached while the VM was running. */
function notListed({ address }: WantedInterface, source: DataSource): string[] {
	return address !== undefined && source === 'metadata service'
		? ['Nova lists no port of this VM with this MAC, and may be 15 s behind']
		: []
}

function addressesAt(link: string, { networks }: NetworkData): string[] {
	return networks.flatMap(network => (network.link === link && network.ip_address !== undefined ? [canonicalIp(network.ip_address)] : []))
}

function wrongAddresses(nic: WantedInterface, reported: readonly string[]): string[] {
	const wanted = addressesOf(nic).map(ipOf)
	return ([4, 6] as const).flatMap(family => {
		const [ours, theirs] = [wanted, reported].map(ips => ips.filter(ip => familyOf(ip) === family)) as [string[], string[]]
		if (ours.length === 0 || theirs.length === 0 || theirs.some(ip => ours.includes(ip))) return []
		return [`Nova reports ${theirs.join(' and ')} for this MAC, not ${ours.join(' and ')}`]
	})
}

function wrongMtu({ mtu }: WantedInterface, port: Port): string[] {
	return mtu !== undefined && port.mtu && port.mtu !== mtu ? [`Nova reports an MTU of ${port.mtu} for this MAC, not ${mtu}`] : []
}
