import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { agentFormat } from '../bundle.ts'
import type { Figure, Log } from './figure.ts'
import { figure, median } from './figure.ts'

/** The agent's bundle alone, on the real kernel, in a namespace with ten NICs: its time beside that of an empty Node, its memory, its silence. */
const NICS = 10
const ROUNDS = 7

type Run = { milliseconds: number; kib: number; report: { outcome: string; changes: number; milliseconds: { probe?: number } } }

export async function figures(log: Log): Promise<Figure[]> {
	if (process.getuid?.() !== 0) throw new Error('bench agent: root is needed for network namespaces')
	const folder = mkdtempSync(join(tmpdir(), 'mn-bench-'))
	try {
		const bundle = await bundleAgent(folder)
		const rounds: Round[] = []
		for (let round = 0; round < ROUNDS; round++) {
			rounds.push(await measure(folder, bundle))
			log(`round ${round + 1} of ${ROUNDS}: ${Math.round(rounds.at(-1)?.first.milliseconds ?? 0)} ms`)
		}
		return judge(rounds)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}

type Round = { floor: number; first: Run; second: Run; touched: number }

function judge(rounds: readonly Round[]): Figure[] {
	const floor = median(rounds.map(round => round.floor))
	const time = (name: string, of: (round: Round) => Run) =>
		figure({ name, value: median(rounds.map(round => of(round).milliseconds - probesOf(of(round)))), unit: 'ms', floor, atMostFloors: 8 })
	return [
		time('agent configures 10 NICs', ({ first }) => first),
		figure({ name: 'beside that, probes', value: median(rounds.map(({ first }) => probesOf(first))), unit: 'ms' }),
		time('agent finds 10 NICs right', ({ second }) => second),
		figure({ name: 'agent memory, peak', value: Math.max(...rounds.map(({ first }) => first.kib)) / 1024, unit: 'MiB', atMost: 70 }),
		figure({
			name: 'agent files touched by a run with nothing to do',
			value: Math.max(...rounds.map(({ touched }) => touched)),
			unit: 'files',
			atMost: 0,
		}),
	]
}

/** A second and more of them is waiting for nobody to say that an address is in use. */
function probesOf({ report }: Run): number {
	return report.milliseconds.probe ?? 0
}

/** The product's entry with one thing more: it takes veth for hardware, which is all a namespace has. */
async function bundleAgent(folder: string): Promise<string> {
	const outfile = join(folder, 'agent.mjs')
	const contents = `import { main } from './agent/main.ts'\nprocess.exitCode = await main(process.env, new Set(['hardware', 'veth']))`
	const stdin = { contents, resolveDir: join(import.meta.dirname, '..'), loader: 'ts' as const }
	const define = { 'import.meta.main': 'false' } // what it imports must not take itself for the entry
	await build({ ...agentFormat, stdin, outfile, define })
	return outfile
}

async function measure(folder: string, bundle: string): Promise<Round> {
	const root = mkdtempSync(join(folder, 'host-'))
	for (const path of ['etc/netplan', 'etc/sysctl.d', 'run', 'var/lib', 'proc', 'config']) mkdirSync(join(root, path), { recursive: true })
	writeFileSync(join(root, 'config/config.json'), JSON.stringify(wish()))
	const holder = await hold(root)
	const wire = await hold(root)
	try {
		const inside = ['--target', String(holder.pid), '--net', '--mount']
		execFileSync('nsenter', [...inside, 'ip', '-batch', '-'], { input: links(wire.pid) })
		execFileSync('nsenter', ['--target', String(wire.pid), '--net', 'ip', '-batch', '-'], { input: gateways() })
		const floor = (await timed([...inside, process.execPath, '-e', '0'], {})).milliseconds
		const agent = async (): Promise<Run> => ({
			...(await timed([...inside, process.execPath, bundle], environment(root))),
			report: readReport(root),
		})
		const first = await agent()
		if (first.report.outcome !== 'Succeeded') throw new Error(`bench agent: ${JSON.stringify(first.report)}`)
		const before = changeTimes(root)
		const second = await agent()
		const after = changeTimes(root)
		return { floor, first, second, touched: [...after].filter(([path, time]) => before.get(path) !== time).length }
	} finally {
		holder.kill('SIGKILL')
		wire.kill('SIGKILL')
	}
}

function hold(root: string) {
	const script = 'mount --bind /proc "$1/proc" && echo ready && exec sleep infinity'
	const child = spawn('unshare', ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', root], {
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	return new Promise<typeof child>((resolve, reject) => {
		child.stdout.once('data', () => resolve(child))
		child.once('exit', code => reject(new Error(`unshare ended with ${code}`)))
	})
}

/** `nsenter` becomes the program, so the peak of its resident memory (VmHWM) is the program's. */
function timed(args: string[], env: Record<string, string>): Promise<{ milliseconds: number; kib: number }> {
	return new Promise((resolve, reject) => {
		const started = performance.now()
		const child = spawn('nsenter', args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
		let kib = 0
		const watch = setInterval(() => {
			kib = Math.max(kib, peakOf(child.pid))
		}, 5)
		child.once('error', reject)
		child.once('exit', () => {
			clearInterval(watch)
			resolve({ milliseconds: performance.now() - started, kib })
		})
	})
}

function peakOf(pid: number | undefined): number {
	try {
		return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
	} catch {
		return 0 // It has just ended.
	}
}

function environment(root: string): Record<string, string> {
	return {
		AGENT_CONFIG: join(root, 'config/config.json'),
		HOST_ROOT: root,
		REPORT_FILE: join(root, 'config/report.json'),
		TERMINATION_LOG: join(root, 'config/none'),
	}
}

function readReport(root: string): Run['report'] {
	return JSON.parse(readFileSync(join(root, 'config/report.json'), 'utf8'))
}

function changeTimes(root: string): Map<string, bigint> {
	const files = ['etc', 'var'].flatMap(top => readdirSync(join(root, top), { recursive: true, withFileTypes: true }))
	return new Map(files.map(({ parentPath, name }) => [join(parentPath, name), statSync(join(parentPath, name), { bigint: true }).ctimeNs]))
}

const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** @param wire process in whose namespace the other ends are */
function links(wire: number | undefined): string {
	return lines(id => `link add ens${id} address ${mac(id)} type veth peer name peer${id} netns ${wire}`)
}

/** They answer, as a run in which all is well finds them. */
function gateways(): string {
	return lines(id => `link set peer${id} up\naddr add 10.0.${id}.1/24 dev peer${id}`)
}

function lines(of: (id: number) => string): string {
	return Array.from({ length: NICS }, (_, id) => `${of(id)}\n`).join('')
}

function wish() {
	const interfaces = Array.from({ length: NICS }, (_, id) => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		gateway: `10.0.${id}.1`,
		mtu: 1450,
	}))
	const report = { namespace: 'multinic-system', configMap: 'bench' }
	return {
		version: 1,
		nodeName: 'bench',
		uid: 'bench',
		generation: 1,
		attempt: 1,
		mode: 'Apply',
		interfaces,
		nodeAddresses: [],
		report,
		waitForDeviceSeconds: 0,
		deadManSeconds: 60,
	}
}
