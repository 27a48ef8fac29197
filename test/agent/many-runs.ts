import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeHost } from './node-host.ts'

export type Grown = {
	/** Open in the one process of the runs, after the first round of them and after the last. */
	descriptors: { atFirst: number; atLast: number }
	/** Paths below /etc, /run and /var that were not there before; the folder of the lock is one until the next boot. */
	leftBehind: string[]
}

/** So many runs one after the other, each of which has something to do; every fifth breaks, at another step each time, and the last rounds are killed. */
export async function manyRuns(host: NodeHost, count: number): Promise<Grown> {
	const session = host.session()
	const before = new Set(entries(host))
	const descriptors = { atFirst: 0, atLast: 0 }
	for (let at = 0; at < count; at++) {
		const wish = [0, 1, 2].map(id => ({
			id,
			macAddress: `fa:16:3e:00:00:0${(id + at) % 3}`,
			address: `10.0.${id}.23`,
			cidr: `10.0.${id}.0/24`,
		}))
		const answer = await session(wish, {}, at % 5 === 4 ? { how: 'fail', at } : undefined)
		if (answer.report.outcome !== (at % 5 === 4 ? 'RolledBack' : 'Succeeded')) throw new Error(`run ${at}: ${answer.said}`)
		descriptors.atLast = answer.descriptors
		if (at === 9) descriptors.atFirst = answer.descriptors
	}
	for (const at of [0, 7, 21]) await host.agent([{ id: 4, macAddress: 'fa:16:3e:00:00:00', mtu: 1300 }], {}, { how: 'kill', at })
	await session([], { mode: 'Cleanup' })
	return { descriptors, leftBehind: entries(host).filter(path => !before.has(path)) }
}

/** @returns every path below /etc, /run and /var, links and sockets too */
export function entries({ inner }: NodeHost): string[] {
	return ['etc', 'run', 'var'].flatMap(top =>
		readdirSync(join(inner, top), { recursive: true, withFileTypes: true }).map(({ parentPath, name }) =>
			join(parentPath, name).slice(inner.length),
		),
	)
}
