import * as z from 'zod'
import { textOf } from '../host/read-files.ts'
import { firmware } from '../host/read-machine.ts'
import { wordsOf } from '../model/failure.ts'
import { driveOf, readDrive } from './config-drive.ts'
import { isOpenStack, NetworkData, type Source, type Told } from './network-data.ts'

/** What OpenStack reports about this VM, or why that is not available. */
export type Heard = { told: Told } | { silent: string }

/** A query to OpenStack about this VM, in progress during a run. */
export type Metadata = {
	/**
	 * Ends the query. Does not wait for a service that does not even accept the connection. Waits for one that does until the timeout that
	 * began with the query.
	 *
	 * @returns undefined if nothing suggests OpenStack, so that no request was sent; never rejects
	 */
	end(): Promise<Heard | undefined>
}

/** Since the start of the query (milliseconds). */
const PATIENCE = 1_000
/** A service that exists accepts a connection sooner; most runs last longer (milliseconds). */
const RINGING = 100
/** Maximum size of a response; a VM with a hundred ports makes 60 kB (bytes). */
const MOST = 262_144
const SERVICE = { host: '169.254.169.254', port: 80, path: '/openstack/latest/network_data.json' }

/**
 * Queries the metadata service, and concurrently reads what is older: cloud-init's copy, or else the config drive. Starts after all pending
 * processes are started, so that it does not delay a run that waits for `ip`.
 */
export function askMetadata(root: string): Metadata {
	const call = { hangUp: new AbortController(), taken: false, rung: false, over: false }
	const heard = begun()
		.then(async () => {
			if (!isOpenStack(signs(root))) return undefined
			const [fresh, old] = await Promise.all([service(call), older(root)])
			return preferred(fresh, old)
		})
		.catch((error: unknown) => ({ silent: wordsOf(error) }))
	return {
		end: () => {
			call.over = true
			giveUp(call)
			return heard
		},
	}
}

type Call = {
	hangUp: AbortController
	/** The service exists, because it has accepted the connection. */
	taken: boolean
	/** It has had the time to accept it. */
	rung: boolean
	/** The run is over. */
	over: boolean
}

function giveUp({ hangUp, taken, rung, over }: Call): void {
	if (over && rung && !taken) hangUp.abort()
}

function begun(): Promise<void> {
	return new Promise(resolve => setImmediate(resolve))
}

function signs(root: string) {
	return { firmware: firmware(root), cloudId: textOf(root, '/run/cloud-init/cloud-id'), configDrive: driveOf(root) !== undefined }
}

function preferred(fresh: Heard, old: Heard): Heard {
	if ('told' in fresh) return fresh
	return 'told' in old ? old : { silent: [fresh.silent, old.silent].filter(Boolean).join('; ') }
}

async function service(call: Call): Promise<Heard> {
	const { signal } = call.hangUp
	const patience = setTimeout(() => call.hangUp.abort(), PATIENCE)
	try {
		return understood('metadata service', await get(call))
	} catch (error) {
		return { silent: `metadata service: ${signal.aborted ? 'no answer' : wordsOf(error)}` }
	} finally {
		clearTimeout(patience)
	}
}

/** Never uses a proxy, which Node's own agent would do if a proxy's variables are set, and never follows a redirect. */
async function get(call: Call): Promise<string> {
	const { request } = await import('node:http')
	return new Promise((resolve, reject) => {
		const options = { ...SERVICE, agent: false, signal: call.hangUp.signal, headers: { accept: 'application/json' } }
		const asked = request(options, answer => {
			let text = ''
			const end = (words: string) => {
				reject(new Error(words))
				asked.destroy()
			}
			if (answer.statusCode !== 200) end(`answers ${answer.statusCode}`)
			answer.setEncoding('utf8').on('error', reject)
			answer.on('end', () => resolve(text))
			answer.on('data', (more: string) => {
				text += more
				if (text.length > MOST) end(`returned more than ${MOST} bytes`)
			})
		})
		asked.on('error', reject)
		asked.once('socket', socket => {
			socket.once('connect', () => {
				call.taken = true
			})
			ring(call)
		})
		asked.end()
	})
}

/** When the time is up, first handles the events that have arrived: on a busy machine the answer may be among them. */
function ring(call: Call): void {
	const look = () => {
		call.rung = true
		giveUp(call)
	}
	setTimeout(() => setImmediate(look), RINGING).unref()
}

async function older(root: string): Promise<Heard> {
	const copied = CloudInit.safeParse(json(textOf(root, '/run/cloud-init/instance-data.json')))
	if (copied.success) return { told: { source: 'copy of cloud-init', data: copied.data.ds.network_json } }
	if (driveOf(root) === undefined) return { silent: '' }
	try {
		const text = await readDrive(root, 'openstack/latest/network_data.json', MOST)
		return text === undefined ? { silent: 'config drive: holds no network data' } : understood('config drive', text)
	} catch (error) {
		return { silent: `config drive: ${wordsOf(error)}` }
	}
}

/** instance-data.json of cloud-init, if its datasource was OpenStack or a config drive. */
const CloudInit = z.object({ ds: z.object({ network_json: NetworkData }) })

function understood(source: Source, text: string): Heard {
	const parsed = NetworkData.safeParse(json(text))
	return parsed.success ? { told: { source, data: parsed.data } } : { silent: `${source}: unexpected response` }
}

function json(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // Handled like JSON of an unexpected shape.
	}
}
