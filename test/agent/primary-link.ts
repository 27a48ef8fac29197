import type { NodeHost } from './node-host.ts'

/** Adds a primary link to a host (mgmt, 192.168.9.2/24, the default route) and two NICs (ens0, ens1) whose peers are up. */
export function addPrimaryAndNics(host: NodeHost): Promise<void> {
	return host.ip(
		[
			'link add mgmt type veth peer name mgmt-peer\nlink set mgmt up\nlink set mgmt-peer up',
			'addr add 192.168.9.2/24 dev mgmt',
			'route add default via 192.168.9.1 metric 100',
			...[0, 1].map(id => `link add ens${id} address fa:16:3e:00:00:0${id} type veth peer name peer${id}\nlink set peer${id} up`),
		].join('\n'),
	)
}
