import type { Network, Port, Server, Subnet } from './cloud.ts'

/**
 * The response bodies of Neutron 21 and Nova 26, with exactly their keys; `test/openstack/shapes.test.ts` compares them with recorded
 * responses.
 */

type Json = Record<string, unknown>

/** Returns a port as a project member sees it: without admin attributes such as `binding:host_id`. */
export function portJson(port: Port, projectId: string): Json {
	return {
		id: port.id,
		name: port.name,
		network_id: port.networkId,
		tenant_id: projectId,
		mac_address: port.mac,
		admin_state_up: true,
		status: port.status,
		device_id: port.serverId,
		device_owner: port.serverId === '' ? '' : 'compute:nova',
		fixed_ips: port.fixedIps.map(({ subnetId, address }) => ({ subnet_id: subnetId, ip_address: address })),
		allowed_address_pairs: [],
		extra_dhcp_opts: [],
		security_groups: [],
		description: '',
		'binding:vnic_type': 'normal',
		tags: [],
		created_at: port.createdAt,
		updated_at: port.updatedAt,
		revision_number: port.revision,
		project_id: projectId,
	}
}

/** Returns a subnet. */
export function subnetJson(subnet: Subnet, projectId: string): Json {
	return {
		id: subnet.id,
		name: subnet.name,
		tenant_id: projectId,
		network_id: subnet.networkId,
		ip_version: subnet.cidr.includes(':') ? 6 : 4,
		subnetpool_id: null,
		enable_dhcp: false,
		ipv6_ra_mode: null,
		ipv6_address_mode: null,
		gateway_ip: subnet.gateway ?? null,
		cidr: subnet.cidr,
		allocation_pools: [],
		host_routes: [],
		dns_nameservers: [],
		description: '',
		service_types: [],
		tags: [],
		created_at: subnet.createdAt,
		updated_at: subnet.createdAt,
		revision_number: 0,
		project_id: projectId,
	}
}

/** Returns a network with the ids of its subnets. */
export function networkJson(network: Network, subnets: readonly Subnet[], projectId: string): Json {
	return {
		id: network.id,
		name: network.name,
		tenant_id: projectId,
		admin_state_up: true,
		mtu: network.mtu,
		status: 'ACTIVE',
		subnets: subnets.filter(subnet => subnet.networkId === network.id).map(({ id }) => id),
		shared: false,
		availability_zone_hints: [],
		availability_zones: [],
		ipv4_address_scope: null,
		ipv6_address_scope: null,
		'router:external': false,
		description: '',
		tags: [],
		created_at: network.createdAt,
		updated_at: network.createdAt,
		revision_number: 1,
		project_id: projectId,
	}
}

/** Data that a server's JSON contains in addition to the server itself. */
export type ServerContext = { projectId: string; url: string; addresses: Json; newer: boolean }

/** Returns a server as in `/servers/detail` and `/servers/{id}`: at microversion 2.93 if `newer`, otherwise at 2.1. */
export function serverJson(server: Server, { projectId, url, addresses, newer }: ServerContext): Json {
	const root = url.replace(/\/v2\.1$/, '')
	return {
		id: server.id,
		name: server.name,
		status: 'ACTIVE',
		tenant_id: projectId,
		user_id: 'ab'.repeat(16),
		metadata: server.metadata,
		hostId: 'cd'.repeat(28),
		image: '',
		flavor: newer ? flavor : { id: '1', links: [{ rel: 'bookmark', href: `${root}/flavors/1` }] },
		created: server.createdAt,
		updated: server.createdAt,
		addresses,
		accessIPv4: '',
		accessIPv6: '',
		links: [
			{ rel: 'self', href: `${url}/servers/${server.id}` },
			{ rel: 'bookmark', href: `${root}/servers/${server.id}` },
		],
		'OS-DCF:diskConfig': 'MANUAL',
		progress: 0,
		'OS-EXT-AZ:availability_zone': 'nova',
		config_drive: '',
		key_name: null,
		'OS-SRV-USG:launched_at': server.createdAt.replace('Z', '.000000'),
		'OS-SRV-USG:terminated_at': null,
		'OS-EXT-STS:task_state': null,
		'OS-EXT-STS:vm_state': 'active',
		'OS-EXT-STS:power_state': 1,
		'os-extended-volumes:volumes_attached': [],
		...(newer && newerFields(server)),
		security_groups: [{ name: 'default' }],
	}
}

const flavor = { vcpus: 1, ram: 64, disk: 0, ephemeral: 1, swap: 0, original_name: 'm1.lab', extra_specs: {} }

function newerFields({ name }: Server): Json {
	const state = { locked: false, locked_reason: null, tags: [], trusted_image_certificates: null }
	return { ...state, description: name, 'OS-EXT-SRV-ATTR:hostname': name }
}
