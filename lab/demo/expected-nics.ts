import { settle } from '../../contract/interface.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { dataNetwork, namespace, withPrefix } from './cloud.ts'
import type { ExpectedNic } from './node-faults.ts'
import type { Demo } from './demo.ts'

/**
 * Returns the expected NICs of a node: one for each port of its VM in OpenStack, with the port's address, the MTU of the data network, and
 * the id from the node config. Throws if the ports and the interfaces in the node config differ.
 */
export async function expectedNics({ client, cloud }: Pick<Demo, 'client' | 'cloud'>, node: string): Promise<ExpectedNic[]> {
	const { servers, ports } = cloud.openstack.cloud
	const server = servers.find(({ name }) => name === node)
	if (!server) throw new Error(`OpenStack has no VM ${node}; there are ${servers.map(({ name }) => name).join(', ')}`)
	const attached = ports.filter(({ serverId }) => serverId === server.id)
	const interfaces = settle((await client.find(NodeConfigKind, { namespace, name: node }))?.spec.interfaces ?? [])
	const inCloud = listed(attached.map(({ mac }) => mac))
	const inConfig = listed(interfaces.map(({ macAddress }) => macAddress))
	if (inCloud !== inConfig) throw new Error(`the VM of ${node} has the ports ${inCloud}, its node config ${inConfig}`)
	return interfaces.map(({ id, name, macAddress }) => {
		const { fixedIps } = attached.find(({ mac }) => mac === macAddress) ?? {}
		return { id, name, mac: macAddress, mtu: dataNetwork.mtu, address: withPrefix(fixedIps?.[0]?.address ?? '') }
	})
}

function listed(macs: readonly string[]): string {
	return macs.toSorted().join(', ') || 'none'
}
