import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { LOCK_FOLDER } from '../../agent/model/paths.ts'
import { REPORT_KEY } from '../../contract/names.ts'
import { PROGRAMS_FOLDER, putProbePrograms } from '../../test/agent/wire.ts'
import type { Listens } from './api-server.ts'

/** Number of interfaces in the run config. */
export const NICS = 10

/**
 * A host with ten new NICs, with gateways that respond at the other ends of the veth pairs, and with an API server that accepts reports.
 * The host has its own network and mount namespaces; its root is a directory.
 */
export type BenchHost = {
	root: string
	/** Arguments of nsenter, to be followed by a program and its arguments, which then runs on this host. */
	inside: readonly string[]
	/** Writes the run config. Returns the environment with which the agent finds the config, the host and the API server. */
	env(mode?: RunConfig['mode']): Record<string, string>
	/** Returns the last report that arrived. Call it only after a run. */
	report(): AgentReport
	/**
	 * Returns path on the host → time of the last change, for every file and directory that a run may change. Only the lock is omitted,
	 * because every run takes it.
	 */
	changeTimes(): Map<string, bigint>
	close(): void
}

/**
 * Creates a host.
 *
 * @param folder directory for the root; the caller removes it
 * @param nics number of NICs, at most ten
 */
export async function benchHost(folder: string, nics = NICS): Promise<BenchHost> {
	const root = mkdtempSync(join(folder, 'host-'))
	for (const path of ['etc/netplan', 'etc/sysctl.d', 'run', 'var/lib', 'proc', 'config']) mkdirSync(join(root, path), { recursive: true })
	await putProbePrograms(join(root, 'programs'), 'real')
	const [holder, wire] = [await hold(root), await hold(root)]
	const inside = ['--target', String(holder.pid), '--net', '--mount']
	execFileSync('nsenter', [...inside, 'ip', '-batch', '-'], { input: links(wire.pid, nics) })
	execFileSync('nsenter', ['--target', String(wire.pid), '--net', 'ip', '-batch', '-'], { input: gateways(nics) })
	const { api, port, reports } = await startApi(inside, root)
	return {
		root,
		inside,
		env: (mode = 'Apply') => {
			writeFileSync(join(root, 'config/config.json'), JSON.stringify(wish(mode, nics)))
			return environment(root, port)
		},
		report: () => JSON.parse(reports.at(-1) ?? 'null'),
		changeTimes: () => changeTimes(`/proc/${holder.pid}/root${root}`),
		close: () => {
			for (const child of [api, holder, wire]) child.kill('SIGKILL')
		},
	}
}

async function hold(root: string): Promise<ChildProcess> {
	const script =
		'mount -t tmpfs tmpfs "$1/run" && mount --bind /proc "$1/proc" && mount --bind "$1/programs" "$2" && echo ready && exec sleep infinity'
	const child = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root, PROGRAMS_FOLDER], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	await once(child.stdout, 'data')
	return child
}

async function startApi(inside: readonly string[], root: string) {
	const api = spawn('nsenter', [...inside, process.execPath, join(import.meta.dirname, 'api-server.ts')], {
		stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
	})
	const [{ port, ca }] = (await once(api, 'message')) as [Listens]
	writeFileSync(join(root, 'config/ca.crt'), ca)
	writeFileSync(join(root, 'config/token'), 'token')
	const reports: string[] = []
	api.on('message', (data: Record<string, string>) => reports.push(data[REPORT_KEY] ?? ''))
	return { api, port, reports }
}

function environment(root: string, port: number): Record<string, string> {
	return {
		AGENT_CONFIG: join(root, 'config/config.json'),
		HOST_ROOT: root,
		TERMINATION_LOG: join(root, 'config/none'),
		KUBERNETES_SERVICE_HOST: '127.0.0.1',
		KUBERNETES_SERVICE_PORT: String(port),
		SERVICE_ACCOUNT: join(root, 'config'),
	}
}

function changeTimes(root: string): Map<string, bigint> {
	const found = ['etc', 'run', 'var'].flatMap(top => readdirSync(join(root, top), { recursive: true, withFileTypes: true }))
	const paths = found.map(({ parentPath, name }) => join(parentPath, name).slice(root.length)).filter(path => !path.startsWith(LOCK_FOLDER))
	return new Map(paths.map(path => [path, statSync(root + path, { bigint: true }).ctimeNs]))
}

const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** @param wire PID of the process in whose network namespace the other ends are */
function links(wire: number | undefined, nics: number): string {
	return `link set lo up\n${lines(nics, id => `link add ens${id} address ${mac(id)} type veth peer name peer${id} netns ${wire}`)}`
}

/** Returns the commands that configure the gateways, which then respond as in a run without problems. */
function gateways(nics: number): string {
	return lines(nics, id => `link set peer${id} up\naddr add 10.0.${id}.1/24 dev peer${id}`)
}

function lines(nics: number, of: (id: number) => string): string {
	return Array.from({ length: nics }, (_, id) => `${of(id)}\n`).join('')
}

function wish(mode: RunConfig['mode'], nics: number): RunConfig {
	const interfaces = Array.from({ length: nics }, (_, id) => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		gateway: `10.0.${id}.1`,
		mtu: 1450,
	}))
	return {
		version: 1,
		nodeName: 'bench',
		uid: 'bench',
		generation: 1,
		attempt: 1,
		mode,
		interfaces,
		nodeAddresses: [],
		report: { namespace: 'multinic-system', configMap: 'bench' },
		waitForDeviceSeconds: 0,
		commitTimeoutSeconds: 60,
	}
}
