import * as z from 'zod'
import { wordsOf } from '../failure.ts'
import { isOpenStack, NetworkData, type Source, type Told } from '../probe/metadata.ts'
import { driveOf, readDrive } from './config-drive.ts'
import { firmware } from './machine.ts'
import { textOf } from './read.ts'

/** What OpenStack says of this VM, or why it could not be heard. */
export type Heard = { told: Told } | { silent: string }

/** OpenStack being asked what it knows of this VM, while a run goes on. */
export type Metadata = {
	/**
	 * Ends the asking: a service that does not even take the call is not waited for; one that has is, until the patience ends that began
	 * with the asking.
	 *
	 * @returns undefined where nothing suggests OpenStack, so that nobody was asked; never rejects
	 */
	end(): Promise<Heard | undefined>
}

/** From the beginning of the asking (milliseconds). */
const PATIENCE = 1_000
/** Who is there takes a call sooner; most runs last longer (milliseconds). */
const RINGING = 100
/** Of an answer; a VM with a hundred ports makes 60 kB (bytes). */
const MOST = 262_144
const SERVICE = { host: '169.254.169.254', port: 80, path: '/openstack/latest/network_data.json' }

/**
 * Asks the metadata service, and at the same time reads what is older: cloud-init's copy, or else the config drive. It begins once
 * whatever is being started has been started, and so costs a run that waits for `ip` no time.
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
	/** The service is there, for it has taken the call. */
	taken: boolean
	/** It has been given the time to. */
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

/** Never by a proxy, which a proxy's variables would make Node's own agent use; nor to where a redirection points. */
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

/** When time is up, one more look at what has come: on a busy machine that may be the answer. */
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

/** instance-data.json of cloud-init, where its datasource was OpenStack or a config drive. */
const CloudInit = z.object({ ds: z.object({ network_json: NetworkData }) })

function understood(source: Source, text: string): Heard {
	const parsed = NetworkData.safeParse(json(text))
	return parsed.success ? { told: { source, data: parsed.data } } : { silent: `${source}: unexpected response` }
}

function json(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined // No more than a text of another shape.
	}
}
