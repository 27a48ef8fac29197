import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Answered } from './agent-session.ts'
import type { NodeHost } from './node-host.ts'

export type Grown = {
	/** Open file descriptors of the process of the runs, after ten runs and after the last. */
	descriptors: { atFirst: number; atLast: number }
	/** Growth in MiB between the first fifth of the runs and the last run, after a full garbage collection. */
	memory: Answered['memory']
	/** Paths below /etc, /run and /var that did not exist before, including the lock directory, which exists until the next boot. */
	leftBehind: string[]
}

/**
 * Executes `count` runs one after the other, each of which has changes to make. Every fifth run fails, each time after a different number
 * of steps. Then three more runs are killed.
 */
export async function manyRuns(host: NodeHost, count: number): Promise<Grown> {
	const session = host.session()
	const before = new Set(entries(host))
	const held: Held[] = []
	for (let at = 0; at < count; at++) {
		const wish = [0, 1, 2].map(id => ({
			id,
			macAddress: `fa:16:3e:00:00:0${(id + at) % 3}`,
			address: `10.0.${id}.23`,
			cidr: `10.0.${id}.0/24`,
		}))
		const answer = await session(wish, {}, at % 5 === 4 ? { how: 'fail', at } : undefined)
		if (answer.report.outcome !== (at % 5 === 4 ? 'RolledBack' : 'Succeeded')) throw new Error(`run ${at}: ${answer.said}`)
		held.push({ descriptors: answer.descriptors, memory: answer.memory })
	}
	for (const at of [0, 7, 21]) await host.agent([{ id: 4, macAddress: 'fa:16:3e:00:00:00', mtu: 1300 }], {}, { how: 'kill', at })
	await session([], { mode: 'Cleanup' })
	return { ...grown(held), leftBehind: entries(host).filter(path => !before.has(path)) }
}

type Held = Pick<Answered, 'descriptors' | 'memory'>

function grown(held: readonly Held[]): Omit<Grown, 'leftBehind'> {
	const [afterTen, afterFifth, atLast] = [held[9], held[Math.floor(held.length / 5)], held.at(-1)]
	if (!afterTen || !afterFifth || !atLast) throw new Error('at least ten runs are required')
	return {
		descriptors: { atFirst: afterTen.descriptors, atLast: atLast.descriptors },
		memory: {
			heap: atLast.memory.heap - afterFifth.memory.heap,
			resident: atLast.memory.resident - afterFifth.memory.resident,
		},
	}
}

/** @returns every path below /etc, /run and /var, including symlinks and sockets */
export function entries({ inner }: NodeHost): string[] {
	return ['etc', 'run', 'var'].flatMap(top =>
		readdirSync(join(inner, top), { recursive: true, withFileTypes: true }).map(({ parentPath, name }) =>
			join(parentPath, name).slice(inner.length),
		),
	)
}
