import { randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { openstackConfigCrd } from '../../contract/crds.ts'
import { KubeClient, loadCredentials } from '../../runtime/kube/index.ts'
import { waitForCrds } from '../cluster/wait-for-crds.ts'
import { type Openstack, startOpenstack } from '../openstack/server.ts'
import { freePort } from '../base/free-port.ts'
import { type Daemon, startDaemon, until } from '../base/daemon.ts'

/** Kubeconfigs of the two clusters, valid where the current process runs. */
export interface Clusters {
	readonly biz: string
	readonly mgmt: string
	/** Path of the kit's kubectl. */
	readonly kubectl: string
}

/** The cloud side of the lab: OpenStack with one VM per node, mgmt and viola. */
export interface Cloud {
	readonly openstack: Openstack
	stop(): Promise<void>
}

/** The only data network of the lab. Its gateway is reachable. */
export const dataNetwork = { name: 'data', cidr: '192.168.10.0/24', gateway: '192.168.10.1', mtu: 1450 } as const

/** @returns an address of the data network, such as `192.168.10.10/24` */
export function withPrefix(address: string): string {
	return `${address}/${dataNetwork.cidr.split('/')[1]}`
}

export const namespace = 'multinic-system'

/**
 * Starts the lab's own OpenStack with one VM per node and no ports, starts viola and mgmt from the sources of this checkout, and creates
 * the OpenstackConfig that connects them. Returns when mgmt is ready.
 */
export async function startCloud(dir: string, nodes: readonly string[], clusters: Clusters): Promise<Cloud> {
	const openstack = await startOpenstack({ networks: [dataNetwork], servers: nodes.map(name => ({ name })) })
	const providerId = randomUUID()
	const token = randomBytes(24).toString('hex')
	const viola = await startViola(dir, { providerId, token, kubeconfig: clusters.biz })
	await writeSettings(clusters, openstack, { nodes, providerId })
	const mgmt = await startMgmt(dir, clusters, { openstack, providerId, violaUrl: viola.url, token })
	const daemons = [viola.daemon, mgmt]
	return {
		openstack,
		async stop() {
			await Promise.all(daemons.map(daemon => daemon.stop()))
			await openstack.stop()
		},
	}
}

type ViolaSettings = { providerId: string; token: string; kubeconfig: string }

async function startViola(dir: string, { providerId, token, kubeconfig }: ViolaSettings) {
	const port = await freePort()
	const clusters = join(dir, 'viola-clusters.yaml')
	await writeFile(clusters, stringify({ [providerId]: { kubeconfig, namespace } }), { mode: 0o600 })
	const env = { VIOLA_ADDR: `127.0.0.1:${port}`, VIOLA_TOKEN: token, VIOLA_CLUSTERS: clusters }
	const daemon = startRoom('viola', dir, env)
	const url = `http://127.0.0.1:${port}`
	await until('viola ready', () => answers(`${url}/readyz`), { ended: [daemon.ended] })
	return { daemon, url }
}

type MgmtSettings = { openstack: Openstack; providerId: string; violaUrl: string; token: string }

async function startMgmt(dir: string, { mgmt }: Clusters, { openstack, providerId, violaUrl, token }: MgmtSettings): Promise<Daemon> {
	const port = await freePort()
	const daemon = startRoom('mgmt', dir, {
		KUBECONFIG: mgmt,
		MGMT_ADDR: `127.0.0.1:${port}`,
		MGMT_NAMESPACE: namespace,
		INVENTORY_DB_PATH: join(dir, 'inventory.db'),
		CONTRABASS_ENDPOINT: openstack.contrabassUrl,
		VIOLA_ENDPOINT: violaUrl,
		VIOLA_TOKEN: token,
		VIOLA_ALLOWED_PROVIDERS: `${namespace}=${providerId}`,
		POLL_FAST_INTERVAL: '1s',
		POLL_SLOW_INTERVAL: '2s',
		POLL_ERROR_INTERVAL: '2s',
	})
	await until('mgmt ready', () => answers(`http://127.0.0.1:${port}/readyz`), { ended: [daemon.ended] })
	return daemon
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

type Tie = { nodes: readonly string[]; providerId: string }

/**
 * Applies what an operator would apply to the management cluster: the CRD, the encryption key of Contrabass, and one OpenstackConfig for
 * all nodes.
 */
async function writeSettings({ kubectl, mgmt }: Clusters, openstack: Openstack, { nodes, providerId }: Tie): Promise<void> {
	const crd = join(import.meta.dirname, '../../crds/multinic.example.com_openstackconfigs.yaml')
	const run = (args: string[], input?: string) => execa(kubectl, ['--kubeconfig', mgmt, ...args], input === undefined ? {} : { input })
	await run(['apply', '--server-side', '-f', crd])
	await openstackConfigsServed(mgmt)
	await run(
		['apply', '-f', '-'],
		manifests(openstack, { nodes, providerId })
			.map(object => stringify(object))
			.join('---\n'),
	)
}

async function openstackConfigsServed(kubeconfig: string): Promise<void> {
	const client = new KubeClient(await loadCredentials({ kubeconfig }, {}), { fieldManager: 'multinic-lab' })
	await waitForCrds(client, [openstackConfigCrd]).finally(() => client.close())
}

function manifests({ encryptKey, providerId: openstackProviderID, projectId: projectID }: Openstack, { nodes, providerId }: Tie) {
	const key = { name: 'contrabass', key: 'encrypt-key' }
	return [
		{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
		{ apiVersion: 'v1', kind: 'Secret', metadata: { name: key.name, namespace }, stringData: { [key.key]: encryptKey } },
		{
			apiVersion: 'multinic.example.com/v1alpha1',
			kind: 'OpenstackConfig',
			metadata: { name: 'lab', namespace },
			spec: {
				vmNames: nodes,
				subnetName: dataNetwork.name,
				credentials: { openstackProviderID, k8sProviderID: providerId, projectID },
				secrets: { contrabassEncryptKeySecretRef: key },
			},
		},
	]
}
