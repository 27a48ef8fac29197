import * as z from 'zod'
import { readUtf8 } from '../host/read-files.ts'
import { firmware } from '../host/read-machine.ts'
import { wordsOf } from '../model/failure.ts'
import { driveOf, readDrive } from './config-drive.ts'
import { type DataSource, isOpenStack, NetworkData, type OpenStackData } from './network-data.ts'

/** What OpenStack reports about this VM, or why that is not available. */
export type MetadataResult = { data: OpenStackData } | { unavailable: string }

/** A query to OpenStack about this VM, in progress during a run. */
export type MetadataQuery = {
	/**
	 * Ends the query. If the service has not accepted the connection, does not wait for it any longer. Otherwise waits for the response until
	 * the timeout, which began with the query.
	 *
	 * @returns undefined if nothing suggests OpenStack, so that no request was sent; never rejects
	 */
	end(): Promise<MetadataResult | undefined>
}

/** Timeout, from the start of the query (milliseconds). */
const TIMEOUT_MS = 1_000
/** An existing service accepts the connection within this time, and most runs last longer (milliseconds). */
const CONNECT_MS = 100
/** Maximum size of a response (bytes); the response for a VM with a hundred ports has 60 kB. */
const MAX_BYTES = 262_144
const SERVICE = { host: '169.254.169.254', port: 80, path: '/openstack/latest/network_data.json' }

/**
 * Queries the metadata service, and concurrently reads an older source: cloud-init's copy, or else the config drive. Starts after all
 * pending processes have started, so that it does not delay a run that waits for `ip`.
 */
export function queryMetadata(root: string): MetadataQuery {
	const call = { abort: new AbortController(), connected: false, connectWaitOver: false, ended: false }
	const result = afterPendingProcesses()
		.then(async () => {
			if (!isOpenStack(signs(root))) return undefined
			const [fresh, older] = await Promise.all([queryService(call), readOlderSources(root)])
			return preferred(fresh, older)
		})
		.catch((error: unknown) => ({ unavailable: wordsOf(error) }))
	return {
		end: () => {
			call.ended = true
			abortIfUnconnected(call)
			return result
		},
	}
}

type Call = {
	abort: AbortController
	/** Whether the service has accepted the connection, so it exists. */
	connected: boolean
	/** Whether the service has had enough time to accept the connection. */
	connectWaitOver: boolean
	/** Whether `end` has been called. */
	ended: boolean
}

function abortIfUnconnected({ abort, connected, connectWaitOver, ended }: Call): void {
	if (ended && connectWaitOver && !connected) abort.abort()
}

function afterPendingProcesses(): Promise<void> {
	return new Promise(resolve => setImmediate(resolve))
}

function signs(root: string) {
	return { firmware: firmware(root), cloudId: readUtf8(root, '/run/cloud-init/cloud-id'), configDrive: driveOf(root) !== undefined }
}

function preferred(fresh: MetadataResult, older: MetadataResult): MetadataResult {
	if ('data' in fresh) return fresh
	return 'data' in older ? older : { unavailable: [fresh.unavailable, older.unavailable].filter(Boolean).join('; ') }
}

async function queryService(call: Call): Promise<MetadataResult> {
	const { signal } = call.abort
	const timeout = setTimeout(() => call.abort.abort(), TIMEOUT_MS)
	try {
		return parsedResult('metadata service', await get(call))
	} catch (error) {
		return { unavailable: `metadata service: ${signal.aborted ? 'no answer' : wordsOf(error)}` }
	} finally {
		clearTimeout(timeout)
	}
}

/** Never uses a proxy and never follows a redirect. Node's default agent would use a proxy if the proxy environment variables are set. */
async function get(call: Call): Promise<string> {
	const { request } = await import('node:http')
	return new Promise((resolve, reject) => {
		const options = { ...SERVICE, agent: false, signal: call.abort.signal, headers: { accept: 'application/json' } }
		const sent = request(options, answer => {
			let text = ''
			const end = (words: string) => {
				reject(new Error(words))
				sent.destroy()
			}
			if (answer.statusCode !== 200) end(`returned ${answer.statusCode}`)
			answer.setEncoding('utf8').on('error', reject)
			answer.on('end', () => resolve(text))
			answer.on('data', (more: string) => {
				text += more
				if (text.length > MAX_BYTES) end(`returned more than ${MAX_BYTES} bytes`)
			})
		})
		sent.on('error', reject)
		sent.once('socket', socket => {
			socket.once('connect', () => {
				call.connected = true
			})
			startConnectWait(call)
		})
		sent.end()
	})
}

/** When the time is up, first handles pending events: on a busy machine, the connection may be among them. */
function startConnectWait(call: Call): void {
	const onTimeout = () => {
		call.connectWaitOver = true
		abortIfUnconnected(call)
	}
	setTimeout(() => setImmediate(onTimeout), CONNECT_MS).unref()
}

async function readOlderSources(root: string): Promise<MetadataResult> {
	const copied = CloudInit.safeParse(parseJson(readUtf8(root, '/run/cloud-init/instance-data.json')))
	if (copied.success) return { data: { source: 'copy of cloud-init', data: copied.data.ds.network_json } }
	if (driveOf(root) === undefined) return { unavailable: '' }
	try {
		const text = await readDrive(root, 'openstack/latest/network_data.json', MAX_BYTES)
		return text === undefined ? { unavailable: 'config drive: contains no network data' } : parsedResult('config drive', text)
	} catch (error) {
		return { unavailable: `config drive: ${wordsOf(error)}` }
	}
}

/** cloud-init's instance-data.json, if its datasource was OpenStack or a config drive. */
const CloudInit = z.object({ ds: z.object({ network_json: NetworkData }) })

function parsedResult(source: DataSource, text: string): MetadataResult {
	const parsed = NetworkData.safeParse(parseJson(text))
	return parsed.success ? { data: { source, data: parsed.data } } : { unavailable: `${source}: unexpected response` }
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // Handled like JSON of an unexpected shape.
	}
}
