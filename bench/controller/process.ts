import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundle } from '../../bundle.ts'
import type { ApiServer } from '../../lab/cluster/api-server.ts'
import { freePort } from '../../lab/base/free-port.ts'
import { atOnce, namespace } from './cluster.ts'

/** A controller process, started as its image starts it. */
export type ControllerProcess = {
	/** Milliseconds from the start of the process until /readyz succeeds. */
	ready: Promise<number>
	/** Number of requests so far, except those with the method GET (get, list and watch). */
	writes(): Promise<number>
	/** Like `writes`, but waits until a second passes without a write, because Events follow the status. */
	atRest(): Promise<number>
	/** Number of all requests so far, and the longest block of the event loop since the previous call, in milliseconds. */
	load(): Promise<{ requests: number; block: number }>
	/** Peak memory in MiB. */
	peakMiB(): number
	/** CPU time of all threads, in seconds. */
	cpuSeconds(): number
	kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** The Node flags of the chart, and the environment of the image. */
const flags = ['--max-semi-space-size=4', '--max-old-space-size=160']
const imageEnv = { MALLOC_ARENA_MAX: '2' }

/** Bundles the sources into a temporary directory. */
export async function bundled(): Promise<{ script: string; remove: () => Promise<void> }> {
	const dist = await mkdtemp(join(tmpdir(), 'multinic-bench-'))
	await bundle(dist)
	return { script: join(dist, 'controller.mjs'), remove: () => rm(dist, { recursive: true }) }
}

export async function startController(api: ApiServer, script: string, env: Record<string, string> = {}): Promise<ControllerProcess> {
	const port = await freePort()
	const began = performance.now()
	const child = spawn(process.execPath, [...flags, script], {
		env: {
			...imageEnv,
			...{ PATH: process.env.PATH, KUBECONFIG: api.kubeconfig, NAMESPACE: namespace, AGENT_IMAGE: 'agent', LEADER_ELECT: 'false' },
			...{ METRICS_ADDR: `127.0.0.1:${port}`, MAX_CONCURRENT_RUNS: '10000', WORKERS: String(atOnce), LOG_LEVEL: 'warn', ...env },
		},
		stdio: ['ignore', 'inherit', 'inherit'],
	})
	const url = `http://127.0.0.1:${port}`
	let mustLive = true
	child.once('exit', (code, signal) => {
		if (mustLive) throw new Error(`the controller exited unexpectedly with ${code ?? signal}`)
	})
	const metrics = async () => (await fetch(`${url}/metrics`)).text()
	const writes = async () => requestsIn(await metrics(), labels => !labels.includes('method="GET"'))
	return {
		ready: readiness(url, child).then(() => performance.now() - began),
		writes,
		load: async () => {
			const text = await metrics()
			const block = Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1_000
			return { requests: requestsIn(text, () => true), block }
		},
		atRest: () => unchanged(writes),
		peakMiB: () => Number(/VmHWM:\s+(\d+)/.exec(read(child, 'status'))?.[1]) / 1_024,
		cpuSeconds: () => cpuOf(read(child, 'stat')),
		kill: async signal => {
			if (child.exitCode !== null || child.signalCode !== null) return
			mustLive = false
			child.kill(signal)
			await once(child, 'exit')
		},
	}
}

async function unchanged(ask: () => Promise<number>): Promise<number> {
	for (let before = await ask(); ; ) {
		await sleep(1_000)
		const now = await ask()
		if (now === before) return now
		before = now
	}
}

async function readiness(url: string, child: ChildProcess): Promise<void> {
	for (;;) {
		if (child.exitCode !== null) throw new Error(`the controller exited with ${child.exitCode}`)
		if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) return
		await sleep(5)
	}
}

function requestsIn(metrics: string, isCounted: (labels: string) => boolean): number {
	const lines = metrics.matchAll(/^rest_client_requests_total\{([^}]*)\} (\d+)/gm)
	return [...lines].filter(([, labels = '']) => isCounted(labels)).reduce((sum, [, , count]) => sum + Number(count), 0)
}

function read({ pid }: ChildProcess, file: string): string {
	return readFileSync(`/proc/${pid}/${file}`, 'utf8')
}

/** Returns utime plus stime in seconds; the kernel counts them in hundredths of a second. @see proc_pid_stat(5) */
function cpuOf(stat: string): number {
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	return (Number(fields[11]) + Number(fields[12])) / 100
}
