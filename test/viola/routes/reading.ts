import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { NODE_CONFIGS_PATH, NodeConfigList } from '../../../contract/viola-api.ts'
import { readEvents } from '../../../runtime/event-stream.ts'
import { createHttpClient } from '../../../runtime/http-client.ts'
import { createHttpServer, listen } from '../../../runtime/http-server.ts'
import { createLog } from '../../../runtime/log.ts'
import { addOpenApi } from '../../../runtime/open-api.ts'
import { failures, type ViolaCode } from '../../../viola/model/failures.ts'
import { createStreams, STREAM_LIMITS, type StreamLimits } from '../../../viola/read/streams.ts'
import { info } from '../../../viola/routes/documented.ts'
import { addReading, type ReadOptions } from '../../../viola/routes/read.ts'
import { manualTime } from '../../runtime/manual-time.ts'
import type { Replica } from '../read/replica.ts'
import { createStreamReader } from '../read/stream-reader.ts'

/** Reading over real sockets: a server in front of a replica, and clients. */

const log = createLog('viola', { level: 'silent' })

export type Options = Partial<ReadOptions> & { limits?: Partial<StreamLimits>; stallMs?: number }

/** Serves a replica on a free port. */
export async function serve(replica: Replica, { limits, stallMs = 60_000, ...options }: Options = {}) {
	const time = manualTime()
	const streams = createStreams(log, { ...STREAM_LIMITS, ...limits }, time.setTimer)
	const app = createHttpServer({ log, statusOf: ({ code }) => failures[code as ViolaCode], stallMs })
	let replace = () => {}
	app.register(async api => {
		await addOpenApi(api, info)
		const sourceOf: ReadOptions['sourceOf'] = (_, __, onReplaced) => {
			replace = onReplaced
			return replica
		}
		addReading(api, { sourceOf, clientOf: ({ headers }) => String(headers['x-client'] ?? 'default'), streams, ...options })
	})
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	const stop = async () => {
		end.abort()
		const passTime = () => {
			time.pass(STREAM_LIMITS.graceMs)
			return streams.count()
		}
		await expect.poll(passTime).toBe(0)
		await closed
	}
	onTestFinished(stop)
	const connections = () => new Promise<number>(resolve => app.server.getConnections((_, count) => resolve(count)))
	return { connections, address, url: address + NODE_CONFIGS_PATH, streams, stop, time, replace: () => replace() }
}

export async function get(url: string, headers: Record<string, string> = {}) {
	const response = await fetch(url, { headers })
	return { status: response.status, headers: response.headers, text: await response.text() }
}

export const namesIn = (text: string) => NodeConfigList.parse(JSON.parse(text)).items.map(({ nodeName }) => nodeName)
export const workers = (count: number) => Array.from({ length: count }, (_, n) => `worker-${String(n).padStart(5, '0')}`)

/** A reader that follows the protocol. */
export function reader(always: Record<string, string> = {}) {
	const http = createHttpClient()
	onTestFinished(() => http.close())
	const stream = createStreamReader(data => (JSON.parse(data) as { resourceVersion: string }).resourceVersion)
	const { known } = stream
	const seen: string[] = []
	return {
		...{ known, seen },
		/** Reads until `isEnd`, or the stream ends. */
		async read(url: string, isEnd: (seen: string[]) => boolean) {
			const lastEventId = stream.connect()
			const headers = { ...always, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) }
			for await (const event of readEvents(http.stream({ url, headers }))) {
				seen.push(stream.take(event))
				if (isEnd(seen)) return
			}
		},
	}
}
export const isSynced = (seen: string[]) => seen.at(-1) === 'synced'
export const contentOf = ({ held }: Replica) =>
	Object.fromEntries(held.content.after().map(({ nodeName, resourceVersion }) => [nodeName, resourceVersion]))

/** Connects with a socket that reads nothing. */
export async function stalled(url: string, accept: string): Promise<Socket> {
	const { port, pathname } = new URL(url)
	const socket = connect(Number(port), '127.0.0.1')
	socket.on('error', () => {})
	onTestFinished(() => void socket.destroy())
	await once(socket, 'connect')
	socket.pause()
	socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`)
	return socket
}
