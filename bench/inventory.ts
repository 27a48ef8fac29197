import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { State } from '../contract/node-config.ts'
import type { Inventory } from '../mgmt/inventory/inventory.ts'
import { openInventory } from '../mgmt/inventory/open.ts'
import { createLog } from '../runtime/log.ts'
import { nics, reported, sent, viewIn } from '../test/mgmt/inventory/samples.ts'
import { type Figures, figure, median, middlePair, type Pair } from './figure.ts'
import { Bare } from './inventory/bare.ts'

const NODES = 10_000
const FEW = 1_000
const PER_NODE = 10
const ROUNDS = 9
/** The first of the nodes that change: the same nodes in the same order, whether 1,000 or 10,000 are stored. */
const FIRST = 4_000
const log = createLog('bench', { level: 'silent' })

/** The inventory with 10,000 nodes of 10 NICs in an SQLite file, compared with bare prepared statements on a copy of the file. */
export const figures: Figures = async say => {
	const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'inventory-'))
	try {
		say(`filling ${NODES} and ${FEW} nodes of ${PER_NODE} NICs`)
		const many = await filled(join(folder, 'many.db'), NODES)
		const few = await filled(join(folder, 'few.db'), FEW)
		say('changing nodes, and reading pages')
		const found = await compare(many, few)
		await many.inventory.close()
		await few.inventory.close()
		many.bare.close()
		return found
	} finally {
		rmSync(folder, { recursive: true })
	}
}

type Filled = { inventory: Inventory; bare: Bare }

async function filled(file: string, nodes: number): Promise<Filled> {
	const open = async () => {
		const inventory = openInventory({ use: 'sqlite', sqlite: { path: file } }, { log })
		await inventory.opened
		inventory.lead()
		return inventory
	}
	const first = await open()
	await first.record(Array.from({ length: nodes }, (_, node) => sent(node, nics(node, PER_NODE))))
	await first.close()
	copyFileSync(file, `${file}.bare`)
	return { inventory: await open(), bare: new Bare(`${file}.bare`) }
}

async function compare(many: Filled, few: Filled) {
	const writes: Pair[] = []
	const blocks: Pair[] = []
	const sizes: Pair[] = []
	const pages: Pair[] = []
	for (let round = 0; round < ROUNDS; round++) {
		const state: State = round % 2 === 0 ? 'InProgress' : 'Configured'
		const nodes = Array.from({ length: FEW }, (_, i) => FIRST + i)
		const bare = many.bare.report(nodes, state, PER_NODE)
		const own = await timed(many.inventory, nodes, state)
		const small = await timed(
			few.inventory,
			Array.from({ length: FEW }, (_, i) => i),
			state,
		)
		writes.push({ value: own.ms, floor: bare.reduce((sum, ms) => sum + ms, 0) })
		blocks.push({ value: own.longest, floor: Math.max(...bare) })
		sizes.push({ value: own.ms / FEW, floor: small.ms / FEW })
		pages.push(await page(many))
	}
	const [write, block, size, read] = [writes, blocks, sizes, pages].map(middlePair) as [Pair, Pair, Pair, Pair]
	return [
		figure({ name: `${FEW} changed nodes of ${NODES}`, unit: 'ms', ...write, atMostFloors: 2 }),
		figure({ name: 'longest block of the event loop meanwhile, against the longest transaction', unit: 'ms', ...block, atMostFloors: 1.5 }),
		figure({ name: `cost of a node with ${NODES} stored, against ${FEW}`, unit: 'ms', ...size, atMostFloors: 1.3 }),
		figure({ name: 'a page of 100 nodes, against SELECT and JSON.stringify', unit: 'ms', ...read, atMostFloors: 3 }),
	]
}

/** Reports a new state of nodes. @returns the time, and the longest time between two turns of the event loop, in milliseconds */
async function timed(inventory: Inventory, nodes: readonly number[], state: State): Promise<{ ms: number; longest: number }> {
	const changes = nodes.map(node => reported(viewIn(state, node, nics(node, PER_NODE))))
	let last = performance.now()
	let longest = 0
	let isOver = false
	const turn = () => {
		const now = performance.now()
		longest = Math.max(longest, now - last)
		last = now
		if (!isOver) setImmediate(turn)
	}
	setImmediate(turn)
	const began = performance.now()
	await inventory.record(changes)
	const ms = performance.now() - began
	isOver = true
	return { ms, longest }
}

async function page({ inventory, bare }: Filled): Promise<Pair> {
	const times = { value: [] as number[], floor: [] as number[] }
	let cursor: string | undefined
	for (let i = 0; i < 20; i++) {
		const began = performance.now()
		const { items, next } = await inventory.nodes('*', {}, { limit: 100, cursor })
		JSON.stringify(items)
		times.value.push(performance.now() - began)
		const bareBegan = performance.now()
		bare.page(items[0]?.nodeName ?? '', 100)
		times.floor.push(performance.now() - bareBegan)
		cursor = next
	}
	return { value: median(times.value), floor: median(times.floor) }
}
