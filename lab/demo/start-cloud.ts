import { randomBytes, randomUUID } from 'node:crypto'
import { startOpenstack } from '../openstack/server.ts'
import type { Lab } from '../setup/start-lab.ts'
import { type Cloud, dataNetwork, type MgmtOrigin } from './cloud.ts'
import { installMgmtChart } from './mgmt-from-chart.ts'
import { startMgmtFromSources } from './mgmt-from-sources.ts'

/**
 * Starts the lab's own OpenStack with one VM per node and no ports, then viola and mgmt, and creates the OpenstackConfig that connects them.
 * Returns when mgmt is ready.
 */
export async function startCloud(lab: Lab, origin: MgmtOrigin): Promise<Cloud> {
	const nodes = lab.nodes.map(({ name }) => name)
	const servers = nodes.map(name => ({ name }))
	const openstack = await startOpenstack({ networks: [dataNetwork], servers, ...(origin === 'chart' && { publicHost: lab.gateway }) })
	const start = origin === 'chart' ? installMgmtChart : startMgmtFromSources
	const token = randomBytes(24).toString('hex')
	const mgmt = await start(lab, { openstack, subnet: dataNetwork.name, nodes, providerId: randomUUID(), token })
	return {
		openstack,
		...mgmt,
		async stop() {
			await mgmt.stop()
			await openstack.stop()
		},
	}
}
