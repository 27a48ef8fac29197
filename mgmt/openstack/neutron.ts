import * as z from 'zod'
import { listOf } from '../../contract/bounded.ts'
import { refuse, saying } from '../model/failures.ts'
import type { Settings } from '../model/settings.ts'
import { readPages } from './pages.ts'
import type { Session } from './session.ts'
import { Word } from './word.ts'

export const Port = z.object({
	id: Word,
	network_id: Word,
	mac_address: Word.toLowerCase(),
	status: Word.default(''),
	device_id: Word,
	created_at: Word.nullish(),
	fixed_ips: listOf(z.object({ subnet_id: Word, ip_address: Word }), 1_000),
})
export type Port = z.infer<typeof Port>

export const Subnet = z.object({
	id: Word,
	name: Word,
	network_id: Word,
	project_id: Word.nullish(),
	cidr: Word,
	gateway_ip: Word.nullish(),
	ipv6_address_mode: Word.nullish(),
})
export type Subnet = z.infer<typeof Subnet>

const Network = z.object({ id: Word, name: Word.optional(), mtu: z.int().min(68) })
export type Network = z.infer<typeof Network>

/** Maximum number of device ids per request: 60 result in a URL of about 3 kB, which every proxy accepts. */
const CHUNK = 60

/** Reads all ports of these servers, in any project. @throws Failure NeutronPortError */
export function readPorts(session: Session, deviceIds: readonly string[]): Promise<Port[]> {
	return saying('NeutronPortError', 'Neutron ports could not be read', async () => {
		const wanted = new Set(deviceIds)
		const ports: Port[] = []
		for (let start = 0; start < deviceIds.length; start += CHUNK) {
			const filter = deviceIds.slice(start, start + CHUNK).map(id => `device_id=${encodeURIComponent(id)}`)
			ports.push(...(await readAll(session, 'ports', filter, Port)))
		}
		return ports.filter(({ device_id }) => wanted.has(device_id))
	})
}

/**
 * Reads the subnets that an OpenstackConfig names, in the same order.
 *
 * @throws Failure SubnetNotFound, SubnetNotUnique or NeutronSubnetError
 */
export async function readSubnets(session: Session, wanted: Settings['subnets'], projectId: string): Promise<Subnet[]> {
	const filter = 'ids' in wanted ? wanted.ids.map(id => `id=${encodeURIComponent(id)}`) : [`name=${encodeURIComponent(wanted.name)}`]
	const found = await saying('NeutronSubnetError', 'Neutron subnets could not be read', () => readAll(session, 'subnets', filter, Subnet))
	if ('ids' in wanted) return wanted.ids.map(id => found.find(subnet => subnet.id === id) ?? missing(id))
	const own = found.filter(({ project_id }) => project_id === projectId)
	const [first, second] = own.length > 0 ? own : found
	if (second) throw refuse('SubnetNotUnique', `more than one subnet has the name ${wanted.name}`)
	return [first ?? missing(wanted.name)]
}

/**
 * Reads the networks of these subnets. If a network cannot be read, this fails, because an MTU is never guessed.
 *
 * @throws Failure NeutronSubnetError
 */
export async function readNetworks(session: Session, subnets: readonly Subnet[]): Promise<Network[]> {
	const ids = [...new Set(subnets.map(({ network_id }) => network_id))]
	const filter = ids.map(id => `id=${encodeURIComponent(id)}`)
	const found = await saying('NeutronSubnetError', 'Neutron networks could not be read', () =>
		readAll(session, 'networks', filter, Network),
	)
	const lost = ids.filter(id => !found.some(network => network.id === id))
	if (lost.length > 0) throw refuse('NeutronSubnetError', `Neutron does not list network ${lost.join(', ')}, which is needed for its MTU`)
	return found
}

/** Makes no request if the filter is empty: it would return every port of the cloud. */
async function readAll<T>(session: Session, many: string, filter: readonly string[], item: z.ZodType<T>): Promise<T[]> {
	if (filter.length === 0) return []
	return readPages(session, { service: 'network', path: `/${many}`, many, item, query: `?${filter.join('&')}` })
}

function missing(nameOrId: string): never {
	throw refuse('SubnetNotFound', `Neutron has no subnet ${nameOrId}, or it is not visible in this project`)
}
