import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePort } from '../base/free-port.ts'
import { type Daemon, startDaemon, until } from '../base/daemon.ts'
import type { Lab } from '../setup/start-lab.ts'
import { namespace, type MgmtSide, pollIntervals } from './cloud.ts'
import { applyObjects, kubectl, namespaceObject } from './kubectl.ts'
import { applyOpenstackConfig, type Connection } from './openstack-config.ts'

/**
 * Starts viola and mgmt as processes of this checkout's sources, and creates the OpenstackConfig in the cluster without nodes. Returns when
 * mgmt is ready.
 */
export async function startMgmtFromSources(lab: Lab, connection: Connection): Promise<MgmtSide> {
	const viola = await startViola(lab, connection)
	const crd = join(import.meta.dirname, '../../crds/multinic.example.com_openstackconfigs.yaml')
	await kubectl(lab, lab.mgmt, ['apply', '--server-side', '-f', crd])
	await applyObjects(lab, lab.mgmt, [namespaceObject(namespace, 'restricted')])
	await applyOpenstackConfig(lab, lab.mgmt, namespace, connection)
	const mgmt = await startMgmt(lab, connection, viola.url)
	return {
		where: `The cluster without nodes, where mgmt's OpenstackConfig is, has ${lab.mgmt.kubeconfig}.`,
		inventoryUrl: mgmt.inventoryUrl,
		async stop() {
			await Promise.all([viola.daemon.stop(), mgmt.daemon.stop()])
		},
	}
}

async function startViola({ dir, biz }: Lab, { providerId, token }: Connection) {
	const port = await freePort()
	const clusters = join(dir, 'viola-clusters.yaml')
	await writeFile(clusters, stringify({ [providerId]: { kubeconfig: biz.kubeconfig, namespace } }), { mode: 0o600 })
	const daemon = startRoom('viola', dir, { VIOLA_ADDR: `127.0.0.1:${port}`, VIOLA_TOKEN: token, VIOLA_CLUSTERS: clusters })
	const url = `http://127.0.0.1:${port}`
	await until('viola ready', () => answers(`${url}/readyz`), { ended: [daemon.ended] })
	return { daemon, url }
}

async function startMgmt({ dir, mgmt }: Lab, { openstack, providerId, token }: Connection, violaUrl: string) {
	const [port, inventoryPort] = [await freePort(), await freePort()]
	const daemon = startRoom('mgmt', dir, {
		KUBECONFIG: mgmt.kubeconfig,
		MGMT_ADDR: `127.0.0.1:${port}`,
		MGMT_NAMESPACE: namespace,
		INVENTORY_ADDR: `127.0.0.1:${inventoryPort}`,
		INVENTORY_AUTH: 'none', // it listens on the loopback device only
		INVENTORY_DB_PATH: join(dir, 'inventory.db'),
		CONTRABASS_ENDPOINT: openstack.contrabassUrl,
		VIOLA_ENDPOINT: violaUrl,
		VIOLA_TOKEN: token,
		VIOLA_ALLOWED_PROVIDERS: `${namespace}=${providerId}`,
		POLL_FAST_INTERVAL: pollIntervals.fast,
		POLL_SLOW_INTERVAL: pollIntervals.slow,
		POLL_ERROR_INTERVAL: pollIntervals.error,
	})
	await until('mgmt ready', () => answers(`http://127.0.0.1:${port}/readyz`), { ended: [daemon.ended] })
	return { daemon, inventoryUrl: `http://127.0.0.1:${inventoryPort}` }
}

function startRoom(room: 'viola' | 'mgmt', dir: string, env: Record<string, string>): Daemon {
	const main = join(import.meta.dirname, '../..', room, 'main.ts')
	return startDaemon({ name: room, argv: [process.execPath, main], logFile: join(dir, `${room}.log`), env })
}

async function answers(url: string): Promise<boolean> {
	return fetch(url).then(
		({ ok }) => ok,
		() => false,
	)
}
