import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentReport, type RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import type { Answered, Asked } from './agent-session.ts'
import type { Fault } from './broken-host.ts'
import { PROGRAMS_FOLDER, putProbePrograms, type Wire } from './wire.ts'

/**
 * A host for kernel tests: a network namespace and a mount namespace, both kept by one process, and a directory as its root. The kernel,
 * `ip` and all files are real; it has no systemd.
 */
export type NodeHost = {
	root: string
	/** The root including what is mounted on it in the host's own namespace. */
	inner: string
	/** The process that keeps the namespaces. */
	pid: number
	/** Lines for `ip -batch`. */
	ip(lines: string): Promise<void>
	/** The result of one `ip -j` query. */
	ask(args: string): Promise<Record<string, unknown>[]>
	/** Runs the real agent, with a fault after a number of its steps if `fault` is given. */
	agent(interfaces: Partial<Interface>[], more?: Partial<RunConfig>, fault?: Fault, env?: Env): Promise<AgentRun>
	/** Starts one process that executes several runs of the agent, one after the other. */
	session(): Session
	/** Runs a program in the host's namespaces; `start` lets it run until the host is closed. */
	inside(program: string, args: string[]): Promise<Ran>
	start(program: string, args: string[], env?: Record<string, string>): ChildProcess
	/** Everything that a run may change, without transient state. */
	everything(): Promise<unknown>
	/** Path below the root → time of last change (nanoseconds). */
	changeTimes(): Record<string, bigint>
	close(): void
}
/** undefined: not set. */
type Env = Record<string, string | undefined>
export type Ran = { code: number; stdout: string; stderr: string }
export type AgentRun = Ran & { report: AgentReport | undefined }
export type Session = (interfaces: Partial<Interface>[], more?: Partial<RunConfig>, fault?: Fault) => Promise<Answered>

export async function nodeHost(wire: Wire = 'silent'): Promise<NodeHost> {
	const root = mkdtempSync(join(tmpdir(), 'mn-'))
	for (const folder of [
		'etc/netplan',
		'etc/sysctl.d',
		'etc/udev/rules.d',
		'run/systemd/network',
		'run/udev/rules.d',
		'var/lib',
		'proc',
		'config',
	])
		mkdirSync(join(root, folder), { recursive: true })
	await putProbePrograms(join(root, 'programs'), wire)
	const holder = await hold(root)
	const pid = holder.pid ?? 0
	const inner = `/proc/${pid}/root${root}`
	const inside = (program: string, args: string[], more: Inside = {}) => runInside(pid, program, args, more)
	const started: ChildProcess[] = [holder]
	const start = (program: string, args: string[], env: Record<string, string> = {}) => {
		const child = startInside(pid, program, args, env)
		started.push(child)
		return child
	}
	const ask = async (args: string) =>
		JSON.parse((await inside('ip', ['-j', ...args.split(' ')])).stdout || '[]') as Record<string, unknown>[]
	const ip = async (lines: string) => {
		const { code, stderr } = await inside('ip', ['-batch', '-'], { input: lines })
		if (code !== 0) throw new Error(stderr)
	}
	await ip('link set lo up')
	return {
		root,
		inner,
		pid,
		ip,
		ask,
		inside: (program, args) => inside(program, args),
		start,
		agent: (interfaces, more = {}, fault = undefined, env = {}) =>
			agent({ root, inside, env: { ...(wire === 'real' && { SILENCE: 'real' }), ...env } }, runConfig(interfaces, more), fault),
		session: () => {
			const [program = '', ...args] = [...confinement(), process.execPath, '--expose-gc', entry('agent-session.ts')]
			return session(start(program, args, environment(root)))
		},
		everything: async () => ({
			...(await kernelState(ask)),
			files: filesBelow(inner).map(path => [path, readFileSync(join(inner, path), 'utf8')]),
		}),
		changeTimes: () => Object.fromEntries(filesBelow(inner).map(path => [path, statSync(join(inner, path), { bigint: true }).ctimeNs])),
		close: () => {
			for (const child of started) child.kill('SIGKILL')
			rmSync(root, { recursive: true, force: true })
		},
	}
}

/** The command that starts the agent with only the capabilities in CAPABILITIES; empty if that is not set. */
export function confinement(): string[] {
	const { CAPABILITIES } = process.env
	if (CAPABILITIES === undefined) return []
	const only = ['-all', ...CAPABILITIES.split(',').map(name => `+${name.toLowerCase()}`)].join(',')
	return ['setpriv', '--no-new-privs', '--inh-caps', '-all', '--ambient-caps', '-all', '--bounding-set', only]
}

function entry(name: string): string {
	return join(import.meta.dirname, name)
}

/** In a network namespace, /proc has the settings of that namespace. The mounts end with the mount namespace. */
function hold(root: string): Promise<ChildProcess> {
	const script = 'mount --bind /proc "$1/proc" && mount --bind "$1/programs" "$2" && echo ready && exec sleep infinity'
	const child = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root, PROGRAMS_FOLDER], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	return new Promise((resolve, reject) => {
		child.stdout.once('data', () => resolve(child))
		child.once('exit', code => reject(new Error(`unshare ended with ${code}`)))
	})
}

type Inside = { input?: string; env?: Env }

/** Opens a message channel, which only Node.js uses. */
function startInside(pid: number, program: string, args: string[], env: Record<string, string>): ChildProcess {
	return spawn('nsenter', ['--target', String(pid), '--net', '--mount', program, ...args], {
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
	})
}

function session(child: ChildProcess): Session {
	return (interfaces, more, fault) =>
		new Promise((resolve, reject) => {
			const ended = (code: number | null) => reject(new Error(`the session ended with ${code}`))
			child.once('exit', ended)
			child.once('message', answer => {
				child.off('exit', ended)
				resolve(answer as Answered)
			})
			child.send({ wish: runConfig(interfaces, more), fault } satisfies Asked)
		})
}

function runInside(pid: number, program: string, args: string[], { input = '', env = {} }: Inside): Promise<Ran> {
	return new Promise(resolve => {
		const options = { env: { ...process.env, ...env }, maxBuffer: 1 << 26 }
		const child = execFile('nsenter', ['--target', String(pid), '--net', '--mount', program, ...args], options, (error, stdout, stderr) =>
			resolve({ code: error ? Number(error.code ?? 137) : 0, stdout, stderr }),
		)
		child.stdin?.on('error', () => {}) // A program that never reads its input.
		child.stdin?.end(input)
	})
}

function environment(root: string) {
	return {
		AGENT_CONFIG: join(root, 'config/config.json'),
		HOST_ROOT: root,
		REPORT_FILE: join(root, 'config/report.json'),
		TERMINATION_LOG: join(root, 'config/none'),
	}
}

type Where = { root: string; inside(program: string, args: string[], more?: Inside): Promise<Ran>; env: Env }

async function agent({ root, inside, env: more }: Where, wish: RunConfig, fault: Fault | undefined): Promise<AgentRun> {
	const env = { ...environment(root), FAULT: JSON.stringify(fault ?? null), ...more }
	const reportFile = environment(root).REPORT_FILE
	rmSync(reportFile, { force: true })
	writeFileSync(env.AGENT_CONFIG, JSON.stringify(wish))
	chmodSync(env.AGENT_CONFIG, 0o600)
	const [program = '', ...args] = [...confinement(), process.execPath, entry('agent-with-veth.ts')]
	const ran = await inside(program, args, { env })
	const report = readdirSync(join(root, 'config')).includes('report.json')
		? AgentReport.parse(JSON.parse(readFileSync(reportFile, 'utf8')))
		: undefined
	return { ...ran, report }
}

/** Ignores what changes over time: lifetimes, the carrier, which depends on the peer, and link-local addresses from the kernel. */
async function kernelState(ask: NodeHost['ask']) {
	const links = (await ask('-d addr show')).map(({ ifname, ifindex, mtu, flags, altnames, master, addr_info }) => ({
		ifname,
		ifindex,
		mtu,
		altnames,
		master,
		up: (flags as string[]).includes('UP'),
		addresses: (addr_info as { local: string; prefixlen: number; scope: string }[])
			.filter(({ scope }) => scope === 'global')
			.map(({ local, prefixlen }) => `${local}/${prefixlen}`)
			.sort(),
	}))
	const routes = (await ask('-N -d route show table all'))
		.filter(({ protocol }) => protocol !== '2')
		.map(({ flags: _, ...route }) => JSON.stringify(route))
	return {
		links,
		routes: routes.sort(),
		rules: [await ask('-4 rule'), await ask('-6 rule')],
		neighbours: await ask('neigh show nud permanent'),
	}
}

function filesBelow(root: string): string[] {
	return ['etc', 'run', 'var'].flatMap(top =>
		readdirSync(join(root, top), { recursive: true, withFileTypes: true })
			.filter(file => file.isFile())
			.map(file => join(file.parentPath, file.name).slice(root.length)),
	)
}
