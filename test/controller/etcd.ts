import { Agent, request } from 'undici'

/** Maintenance of etcd, and what happens to an etcd without maintenance. */
export type Etcd = {
	/** Writes junk until no space is left; from then on etcd rejects every write. @returns the number of MiB written */
	fill(): Promise<number>
	/** Deletes the junk, compacts, defragments and disarms the alarm, as the etcd manual describes. */
	makeRoom(): Promise<void>
	/** Removes every revision except the current one. */
	compact(): Promise<void>
	close(): Promise<void>
}

/** Flags with which etcd accepts JSON on its socket. */
export const etcdFlags = { 'enable-grpc-gateway': 'true' } as const

const junk = { from: '/junk/', to: '/junk0' } as const
const mebibyte = Buffer.alloc(1_048_576, 'junk').toString('base64')

/** @param socket path of the Unix socket on which etcd listens */
export function talkToEtcd(socket: string): Etcd {
	const dispatcher = new Agent({ connect: { socketPath: socket } })
	const ask = async <T>(path: string, body: object): Promise<T> => {
		const answer = await request(`http://etcd/v3/${path}`, { method: 'POST', body: JSON.stringify(body), dispatcher })
		const text = await answer.body.text()
		if (answer.statusCode !== 200) throw new Error(`etcd: ${text}`)
		return JSON.parse(text) as T
	}
	const compact = async () => {
		const { header } = await ask<{ header: { revision: string } }>('maintenance/status', {})
		await ask('kv/compaction', { revision: header.revision, physical: true })
	}
	return {
		fill: async () => {
			for (let count = 0; ; count++) {
				try {
					await ask('kv/put', { key: base64(junk.from + count), value: mebibyte })
				} catch (error) {
					if (String(error).includes('database space exceeded')) return count
					throw error
				}
			}
		},
		makeRoom: async () => {
			await ask('kv/deleterange', { key: base64(junk.from), range_end: base64(junk.to) })
			await compact()
			await ask('maintenance/defragment', {})
			const { alarms = [] } = await ask<{ alarms?: object[] }>('maintenance/alarm', { action: 'GET' })
			for (const alarm of alarms) await ask('maintenance/alarm', { ...alarm, action: 'DEACTIVATE' })
		},
		compact,
		close: () => dispatcher.destroy(),
	}
}

function base64(text: string): string {
	return Buffer.from(text).toString('base64')
}
