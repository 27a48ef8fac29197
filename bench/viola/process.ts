import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { stringify } from 'yaml'
import { NODE_CONFIGS_PATH, type NodeConfigRequest, NodeConfigsResponse } from '../../contract/viola-api.ts'
import type { ApiServer } from '../../lab/cluster/api-server.ts'
import { freePort } from '../../lab/base/free-port.ts'
import { namespace } from '../controller/cluster.ts'

/** viola as its image runs it. */
export type Viola = {
	url: string
	/** @throws Error if a node was not applied */
	post(nodes: readonly NodeConfigRequest[]): Promise<NodeConfigsResponse>
	/** Requests `/healthz`. */
	healthz(): Promise<void>
	/** Number of requests to the API server so far, except those of the reflector. */
	requests(): Promise<number>
	/** Current and peak memory in MiB. */
	memory(): { now: number; peak: number }
	stop(): Promise<void>
}

/** As the image: the chart of viola sets no flags of Node.js. */
const imageEnv = { MALLOC_ARENA_MAX: '2' }
/** Each request is from the next of these clients, because viola limits the requests of one client. */
const CLIENTS = 250
const tokens = Array.from({ length: CLIENTS }, (_, n) => `bench-${n}`)
export const clientToken = 'bench-0'
let turn = 0
const headers = () => ({ authorization: `Bearer ${tokens[turn++ % CLIENTS]}`, 'x-provider-id': 'biz', 'content-type': 'application/json' })

/** Starts viola in front of one API server, and waits until it has read the node configs. */
export async function startViola(api: ApiServer, script: string): Promise<Viola> {
	const folder = await mkdtemp(join(tmpdir(), 'multinic-bench-'))
	const clusters = join(folder, 'clusters.yaml')
	await writeFile(clusters, `biz: { kubeconfig: ${api.kubeconfig}, namespace: ${namespace} }\n`)
	const clients = join(folder, 'clients.yaml')
	await writeFile(clients, stringify(tokens.map(clientOf)))
	const port = await freePort()
	const env = { ...imageEnv, PATH: process.env.PATH, VIOLA_ADDR: `127.0.0.1:${port}`, VIOLA_CLIENTS: clients, VIOLA_CLUSTERS: clusters }
	const child = spawn(process.execPath, [script], { env: { ...env, LOG_LEVEL: 'warn' }, stdio: ['ignore', 'inherit', 'inherit'] })
	const url = `http://127.0.0.1:${port}`
	const agent = new Agent({ connections: 50 })
	await readiness(url, child)
	return {
		url,
		post: async nodes => {
			const body = JSON.stringify(nodes)
			const answer = await request(`${url}${NODE_CONFIGS_PATH}`, { dispatcher: agent, method: 'POST', headers: headers(), body })
			const text = await answer.body.text()
			if (answer.statusCode !== 200) throw new Error(`POST: status ${answer.statusCode} ${text.slice(0, 500)}`)
			return NodeConfigsResponse.parse(JSON.parse(text))
		},
		healthz: async () => void (await (await request(`${url}/healthz`, { dispatcher: agent })).body.text()),
		requests: async () => requestsIn(await (await fetch(`${url}/metrics`)).text()),
		memory: () => ({ now: mebibytes(child, 'VmRSS'), peak: mebibytes(child, 'VmHWM') }),
		stop: async () => {
			await agent.close()
			child.kill('SIGTERM')
			if (child.exitCode === null) await once(child, 'exit')
			await rm(folder, { recursive: true })
		},
	}
}

function clientOf(token: string, n: number): object {
	return { name: `client-${n}`, sha256: createHash('sha256').update(token).digest('hex'), may: 'write', providers: ['*'] }
}

async function readiness(url: string, child: ChildProcess): Promise<void> {
	while (child.exitCode === null) {
		// viola is ready even if a cluster fails, so this waits for the cluster
		if ((await fetch(`${url}${NODE_CONFIGS_PATH}?limit=1`, { headers: headers() }).catch(() => undefined))?.ok) return
		await sleep(20)
	}
	throw new Error(`viola exited with ${child.exitCode}`)
}

/** Returns the number of requests except lists and watches, according to the label `verb` of the histogram. */
function requestsIn(metrics: string): number {
	const lines = metrics.matchAll(/^rest_client_request_duration_seconds_count\{([^}]*)\} (\d+)/gm)
	return [...lines].filter(([, labels = '']) => !/verb="(LIST|WATCH)"/.test(labels)).reduce((sum, [, , count]) => sum + Number(count), 0)
}

function mebibytes({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8')
	return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024
}
