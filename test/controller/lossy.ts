import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Access, writeKubeconfig } from '../../lab/cluster/kubeconfig.ts'
import { lossPackages, unpackPackages } from '../../lab/base/packages.ts'
import { startRelay } from '../../lab/namespace/relay.ts'

/** The port of the API server, and the credentials and settings of the controller. */
export type LossyOptions = Omit<Access, 'name' | 'server'> & {
	/** Percentage of packets to lose. */
	lost: number
	port: number
	/** Directory for a socket and a kubeconfig. */
	dir: string
	/** Environment of the controller. */
	env: Readonly<Record<string, string>>
	/** Called with every line that the controller writes. */
	onLine: (line: string) => void
}

export type Lossy = {
	/** Returns how many packets were lost so far. */
	lost(): Promise<number>
	stop(): Promise<void>
}

/**
 * Runs the controller as a process in its own network namespace, which randomly drops packets in both directions; the kernel's TCP
 * retransmits them with growing delays. A Unix socket connects the namespace with the API server. A controller that exits is restarted, as
 * under a kubelet. Needs root.
 */
export async function startLossyController({ onLine, dir, port, ...rest }: LossyOptions): Promise<Lossy> {
	const { env } = await unpackPackages(lossPackages)
	const socket = join(dir, 'line.sock')
	const relay = await startRelay({ path: socket }, { host: '127.0.0.1', port })
	const inside = JSON.stringify({ ...rest, socket, dir } satisfies Inside)
	const argv = ['--pdeathsig', 'KILL', '--', 'unshare', '--net', '--', process.execPath, import.meta.filename, inside]
	const child = execa('setpriv', argv, { env: { ...process.env, ...env }, buffer: false, reject: false, stderr: 'inherit' })
	const { promise: begun, resolve: begin, reject } = Promise.withResolvers<void>()
	const reading = (async () => {
		for await (const line of child) {
			begin()
			onLine(line)
		}
		reject(new Error('the lossy connection could not be set up, or is closed'))
	})()
	await begun
	return {
		lost: async () => {
			const { stdout } = await execa('nsenter', [`--net=/proc/${child.pid}/ns/net`, '--', 'nft', 'list', 'ruleset'], { env })
			return Number(/counter packets (\d+)/.exec(stdout)?.[1])
		},
		stop: async () => {
			child.kill('SIGKILL')
			await child
			await reading
			relay.close()
		},
	}
}

type Inside = Omit<LossyOptions, 'onLine' | 'port'> & { socket: string }

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '') as Inside)

async function main({ lost, socket, dir, env, ca, token }: Inside): Promise<never> {
	await execa('ip', ['link', 'set', 'lo', 'up'])
	const { port } = await startRelay({ host: '127.0.0.1', port: 0 }, { path: socket })
	const server = `https://127.0.0.1:${port}`
	const kubeconfig = await writeKubeconfig(join(dir, 'lossy.kubeconfig'), { name: 'lossy', server, ca, token })
	const rule = `type filter hook input priority 0\nnumgen random mod 100 < ${lost} counter drop`
	await execa('nft', ['-f', '-'], { input: `table ip weather {\nchain input {\n${rule}\n}\n}\n` })
	for (;;) {
		const controller = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, 'controller/main.ts'], {
			...{ env: { PATH: process.env.PATH, KUBECONFIG: kubeconfig, METRICS_ADDR: '127.0.0.1:0', ...env }, stdio: 'inherit' },
		})
		await once(controller, 'exit')
	}
}
