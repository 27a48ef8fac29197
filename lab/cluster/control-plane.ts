import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Kit } from '../kit/kit.ts'
import { type KubeAccess, kubeGet } from './kube-get.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { apiServerAddress, apiServerNames, serviceRange } from './service-addresses.ts'
import { type Daemon, startDaemon, until } from '../base/daemon.ts'

/** Binaries that every control plane needs. `controllerManager` and `scheduler` need one more each. */
export const controlPlaneBinaries = ['etcd', 'kube-apiserver', 'certs'] as const

/** Options of a control plane: its components, and where it listens. */
export interface ControlPlaneOptions {
	name: string
	/** The control plane's own directory, for keys, data and logs. */
	dir: string
	kit: Kit<(typeof controlPlaneBinaries)[number]> & Partial<Kit>
	/** Port of the API server. The other components and the kubeconfig connect to it on 127.0.0.1. */
	port: number
	/**
	 * Address by which pods and nodes reach the API server. Without it, the `kubernetes` Service has no endpoints and the API server listens
	 * on loopback only.
	 */
	advertise?: string
	/** Names of the nodes that may join. Each gets its own token. */
	nodes?: readonly string[]
	/** true: all controllers that are on by default; a list: only the controllers with these names. */
	controllerManager?: boolean | readonly string[]
	scheduler?: boolean
	/** Additional etcd flags, or overrides of the default ones: `{ 'quota-backend-bytes': '33554432' }`. */
	etcdFlags?: Readonly<Record<string, string>>
	/** Additional API server flags, or overrides of the default ones. */
	serverFlags?: Readonly<Record<string, string>>
}

/** A running control plane. */
export interface ControlPlane {
	readonly name: string
	readonly server: string
	readonly token: string
	/** PEM certificate of the CA that signed the serving certificate. */
	readonly ca: string
	readonly caFile: string
	/** Path of the administrator's kubeconfig, valid where the control plane runs. */
	readonly kubeconfig: string
	readonly nodeTokens: Readonly<Record<string, string>>
	readonly daemons: readonly Daemon[]
	/** Kills the API server with SIGKILL; etcd keeps running with its data. */
	killServer(): Promise<void>
	/** Starts an API server on the same etcd and port. Returns when it is ready. */
	startServer(): Promise<void>
	stop(): Promise<void>
}

/**
 * Starts etcd and an API server (RBAC, node authorizer, NodeRestriction, token file), and the controller manager and scheduler if
 * requested. Returns when the API server is ready, after about 3 s. If etcd or the API server exits first, throws an error with the end of
 * its log.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
	const plane = await prepare(options)
	const daemons = [startEtcd(options)]
	const startServer = async () => {
		daemons.splice(1, 1, startApiServer(options))
		await until(`${options.name}: API server ready`, () => isReady(plane), { ended: daemons.slice(0, 2).map(daemon => daemon.ended) })
	}
	const killServer = async () => {
		const server = daemons[1]
		if (server) process.kill(server.pid, 'SIGKILL')
		await server?.ended
	}
	try {
		await startServer()
		if (options.controllerManager) daemons.push(startControllerManager(options, plane.kubeconfig))
		if (options.scheduler) daemons.push(startScheduler(options, plane.kubeconfig))
	} catch (error) {
		await stopAll(daemons)
		throw error
	}
	return { ...plane, daemons, killServer, startServer, stop: () => stopAll(daemons) }
}

async function prepare({ name, dir, kit, port, advertise, nodes = [] }: ControlPlaneOptions) {
	await mkdir(dir, { recursive: true, mode: 0o700 })
	const names = ['127.0.0.1', 'localhost', ...apiServerNames, apiServerAddress]
	await execa(kit.certs, [dir, ...names, ...(advertise ? [advertise] : [])])
	const token = newToken()
	const nodeTokens = Object.fromEntries(nodes.map(node => [node, newToken()]))
	await writeFile(join(dir, 'tokens.csv'), tokenFile(token, nodeTokens), { mode: 0o600 })
	const caFile = join(dir, 'ca.crt')
	const ca = await readFile(caFile, 'utf8')
	const server = `https://127.0.0.1:${port}`
	const kubeconfig = await writeKubeconfig(join(dir, 'admin.kubeconfig'), { name, server, ca, token })
	return { name, server, token, ca, caFile, kubeconfig, nodeTokens }
}

function newToken(): string {
	return randomBytes(24).toString('hex')
}

function tokenFile(admin: string, nodes: Record<string, string>): string {
	const lines = Object.entries(nodes).map(([node, token]) => `${token},system:node:${node},${node},"system:nodes"`)
	return `${[`${admin},admin,admin,"system:masters"`, ...lines].join('\n')}\n`
}

/** Starts etcd on Unix sockets, so that it needs no port, and without fsync, because its data does not outlive the lab. */
function startEtcd({ dir, kit, etcdFlags }: ControlPlaneOptions): Daemon {
	const client = `unix://${dir}/etcd.sock`
	const [clientName, peerName] = ['http://localhost:2379', 'http://localhost:2380'] // must look like addresses; no process connects to them
	const urls = {
		'listen-client-urls': client,
		'advertise-client-urls': clientName,
		'listen-peer-urls': `unix://${dir}/peer.sock`,
		'initial-advertise-peer-urls': peerName,
		'initial-cluster': `default=${peerName}`,
	}
	const more = {
		'data-dir': join(dir, 'etcd'),
		'unsafe-no-fsync': 'true',
		'enable-grpc-gateway': 'false',
		'log-level': 'warn',
		...etcdFlags,
	}
	return startDaemon({ name: 'etcd', argv: [kit.etcd, ...flags({ ...urls, ...more })], logFile: join(dir, 'etcd.log') })
}

function startApiServer({ dir, kit, port, advertise, serverFlags }: ControlPlaneOptions): Daemon {
	const reach = advertise
		? { 'bind-address': '0.0.0.0', 'advertise-address': advertise }
		: { 'bind-address': '127.0.0.1', 'advertise-address': '127.0.0.1', 'endpoint-reconciler-type': 'none' }
	const argv = flags({
		...reach,
		'secure-port': String(port),
		'etcd-servers': `unix://${dir}/etcd.sock`,
		'cert-dir': dir,
		'tls-cert-file': join(dir, 'apiserver.crt'),
		'tls-private-key-file': join(dir, 'apiserver.key'),
		'client-ca-file': join(dir, 'ca.crt'),
		'kubelet-client-certificate': join(dir, 'kubelet-client.crt'),
		'kubelet-client-key': join(dir, 'kubelet-client.key'),
		'kubelet-preferred-address-types': 'InternalIP',
		'token-auth-file': join(dir, 'tokens.csv'),
		'authorization-mode': 'Node,RBAC',
		'enable-admission-plugins': 'NodeRestriction',
		'service-account-issuer': 'https://kubernetes.default.svc',
		'service-account-key-file': join(dir, 'sa.key'),
		'service-account-signing-key-file': join(dir, 'sa.key'),
		'service-cluster-ip-range': serviceRange,
		'allow-privileged': 'true',
		profiling: 'false',
		...serverFlags,
	})
	return startDaemon({ name: 'kube-apiserver', argv: [kit['kube-apiserver'], ...argv], logFile: join(dir, 'kube-apiserver.log') })
}

function startControllerManager({ dir, kit, controllerManager }: ControlPlaneOptions, kubeconfig: string): Daemon {
	const argv = flags({
		...(Array.isArray(controllerManager) && { controllers: controllerManager.join(',') }),
		kubeconfig,
		'service-account-private-key-file': join(dir, 'sa.key'),
		'root-ca-file': join(dir, 'ca.crt'),
		'use-service-account-credentials': 'true',
		'leader-elect': 'false',
		'secure-port': '0',
	})
	const binary = needed(kit, 'kube-controller-manager')
	return startDaemon({ name: 'kube-controller-manager', argv: [binary, ...argv], logFile: join(dir, 'kube-controller-manager.log') })
}

function startScheduler({ dir, kit }: ControlPlaneOptions, kubeconfig: string): Daemon {
	const argv = flags({ kubeconfig, 'leader-elect': 'false', 'secure-port': '0' })
	const binary = needed(kit, 'kube-scheduler')
	return startDaemon({ name: 'kube-scheduler', argv: [binary, ...argv], logFile: join(dir, 'kube-scheduler.log') })
}

function needed(kit: Partial<Kit>, name: keyof Kit): string {
	const path = kit[name]
	if (!path) throw new Error(`this control plane needs the binary ${name}: add it to findKit`)
	return path
}

function flags(values: Record<string, string>): string[] {
	return Object.entries(values).map(([flag, value]) => `--${flag}=${value}`)
}

async function isReady(plane: KubeAccess): Promise<boolean> {
	return (await kubeGet(plane, '/readyz')).status === 200
}

async function stopAll(daemons: readonly Daemon[]): Promise<void> {
	for (const daemon of daemons.toReversed()) await daemon.stop()
}
