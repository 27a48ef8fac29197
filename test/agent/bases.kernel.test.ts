import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import type { Streamed } from './tcp-stream.ts'

/**
 * The first route table and the first rule priority are configurable. When they change, a run moves the rules and routes of a host, and
 * every packet has a route during the move.
 */
const isRoot = process.getuid?.() === 0
/** The run fails after every multiple of this number of steps. */
const STRIDE = 7
const OUTSIDE = { four: '198.51.100.1', six: '2001:db8:9::1' }
const nic = (id: number) => ({
	id,
	macAddress: `fa:16:3e:00:00:0${id}`,
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	gateway: `10.0.${id}.1`,
	addresses: [`fd00:${id}::23/64`],
	routes: [{ to: '2001:db8::/32', via: `fd00:${id}::1` }],
})
const nics = [nic(0), nic(1)]
const at = (routeTableBase: number, rulePriorityBase: number): Partial<RunConfig> => ({ routeTableBase, rulePriorityBase })
const old = at(100, 10_000)
const next = at(200, 20_000)

let host: NodeHost
let machine: NodeHost

describe.skipIf(!isRoot)('a host moves to another base (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		machine = await nodeHost()
		await machine.ip(`addr add ${OUTSIDE.four}/32 dev lo\naddr add ${OUTSIDE.six}/128 dev lo nodad`)
		for (const id of [0, 1]) {
			await host.ip(`link add ens${id} address ${nic(id).macAddress} type veth peer name far${id} netns ${machine.pid}`)
			await machine.ip(`link set far${id} up\naddr add 10.0.${id}.1/24 dev far${id}\naddr add fd00:${id}::1/64 dev far${id} nodad`)
		}
	})
	afterEach(() => {
		machine.close()
		host.close()
	})

	test('a TCP stream that is routed only by the table of its NIC loses no data when one or both bases change, up to their limits', async () => {
		const session = host.session()
		expect((await session(nics, old)).report.outcome).toBe('Succeeded')
		const endOfStream = await stream()
		for (const [table, priority] of [
			[200, 20_000],
			[256, 20_000],
			[256, 32_756],
			[1, 11],
			[100, 10_000],
		] as const) {
			const { report, said, kernel } = await session(nics, at(table, priority))
			expect(report.outcome, said).toBe('Succeeded')
			expect(ours(kernel.rules)).toEqual([0, 1].map(id => `${priority + id} ${table + id}`))
			expect(tables(kernel.routes)).toEqual([table, table + 1])
			expect((await session(nics, { ...at(table, priority), mode: 'Verify' })).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		}
		const { unrouted, ...streamed } = await endOfStream()
		expect(streamed).toEqual({ sent: streamed.sent, received: streamed.sent, inOrder: true })
		expect([streamed.sent > 0, unrouted]).toEqual([true, 0])
	})

	test('packets of both families have a route after any number of steps, and a rollback after these steps restores the host', async () => {
		const session = host.session()
		await session(nics, old)
		const steps = (await session(nics, { ...next, mode: 'Plan' })).report.plan?.commands.length ?? 0
		expect(steps).toBeGreaterThan(20)
		let [here, there] = [old, next]
		for (let step = 0; step <= steps; step += STRIDE) {
			const before = await host.everything()
			const undone = await session(nics, there, { how: 'fail', at: step })
			expect(undone.report.outcome, undone.said).toBe('RolledBack')
			expect(await host.everything(), `undone after ${step} steps`).toEqual(before)
			const lookups = nics.map(({ id }) => `route get ${OUTSIDE.four} from 10.0.${id}.23\nroute get ${OUTSIDE.six} from fd00:${id}::23`)
			const moved = await session(nics, there, { how: 'others', at: step, ip: lookups.join('\n') })
			expect(moved.report.outcome, moved.said).toBe('Succeeded')
			;[here, there] = [there, here]
		}
	})

	test('the next run rolls back a killed run under traffic, and no packet is lost', async () => {
		await host.agent(nics, old)
		const endOfStream = await stream()
		for (const step of [5, 13, 21]) {
			const killed = await host.agent(nics, next, { how: 'kill', at: step })
			expect(killed.report).toBeUndefined()
			expect((await host.agent(nics, old)).report?.outcome).toBe('Succeeded')
			expect(ours(await host.ask('rule'))).toEqual(['10000 100', '10001 101'])
			expect(tables(await host.ask('route show table all'))).toEqual([100, 101])
		}
		const { unrouted, ...streamed } = await endOfStream()
		expect([streamed.received === streamed.sent, streamed.inOrder, unrouted]).toEqual([true, true, 0])
	})

	test('a verification reports the old base as drift and changes nothing; after a run, the record contains both bases', async () => {
		const session = host.session()
		await session(nics, old)
		const before = await host.everything()
		const { report } = await session(nics, { ...next, mode: 'Verify' })
		expect(await host.everything()).toEqual(before)
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'Drifted' })
		expect(report.interfaces[0]?.drift).toEqual(
			expect.arrayContaining([
				expect.objectContaining({ attribute: 'rule', wanted: 'from 10.0.0.23/32 table 200 priority 20000', found: 'missing' }),
				expect.objectContaining({ attribute: 'rule', wanted: 'none', found: 'from 10.0.0.23/32 table 100 priority 10000' }),
			]),
		)
		await session(nics, next)
		expect(recordedBases()).toEqual([[200, 20_000, 100, 10_000]].flatMap(bases => [bases, bases]))
		await session([], next)
		expect(ours(await host.ask('rule'))).toEqual([])
		expect(tables(await host.ask('route show table all'))).toEqual([])
	})

	test('a NIC is refused while another NIC still uses its new table, if the new base is less than ten away from the old one', async () => {
		const session = host.session()
		await session(nics, old)
		const first = (await session(nics, at(101, 10_000))).report
		expect(first.interfaces.map(({ reason }) => reason)).toEqual(['InUse', 'Configured'])
		expect(first.interfaces[0]?.message).toContain(
			'table 101 is still that of multinic1, which has to move to another one first (ip route show table 101)',
		)
		expect((await session(nics, at(101, 10_000))).report.outcome).toBe('Succeeded')
		expect(ours(await host.ask('rule'))).toEqual(['10000 101', '10001 102'])
	})

	test('a run removes a rule of the old base that a daemon added again', async () => {
		const session = host.session()
		await session(nics, old)
		await session(nics, next)
		await host.ip('rule add from 10.0.0.23 priority 10000 table 100\nroute add 10.0.0.0/24 dev multinic0 table 100')
		expect((await session(nics, next)).report.outcome).toBe('Succeeded')
		expect(ours(await host.ask('rule'))).toEqual(['20000 200', '20001 201'])
		expect(tables(await host.ask('route show table all'))).toEqual([200, 201])
	})
})

type Row = Record<string, unknown>

/** The IPv4 rules for the addresses of the NICs, in the form `10000 100`. */
function ours(rules: readonly Row[]): string[] {
	return rules.filter(({ src }) => /^10\.0\.\d\.23$/.test(String(src))).map(({ priority, table }) => `${priority} ${table}`)
}

function tables(routes: readonly Row[]): number[] {
	const numbers = routes.map(({ table }) => Number(table)).filter(table => table > 0)
	return [...new Set(numbers)].toSorted((a, b) => a - b)
}

function recordedBases(): number[][] {
	const { links } = JSON.parse(readFileSync(`${host.inner}/var/lib/multinic/record.json`, 'utf8')) as {
		links: { bases?: { table: number; priority: number }[] }[]
	}
	return links.map(({ bases = [] }) => bases.flatMap(({ table, priority }) => [table, priority]))
}

/**
 * Starts traffic that is routed only by the rule and the table of multinic0. The result ends it and returns how many packets had no route.
 */
async function stream(): Promise<() => Promise<Streamed & { unrouted: number }>> {
	const script = `${import.meta.dirname}/tcp-stream.ts`
	const before = unrouted()
	await once(machine.start(process.execPath, [script, 'serve', OUTSIDE.four, '7000']), 'message')
	const sender = host.start(process.execPath, [script, 'send', OUTSIDE.four, '7000', '10.0.0.23'])
	await once(sender, 'message')
	return async () => {
		sender.send('end')
		const [streamed] = (await once(sender, 'message')) as [Streamed]
		return { ...streamed, unrouted: unrouted() - before }
	}
}

function unrouted(): number {
	const rows = readFileSync(`/proc/${host.pid}/net/snmp`, 'utf8')
		.split('\n')
		.filter(line => line.startsWith('Ip:'))
	const [names = [], values = []] = rows.map(row => row.split(' '))
	return Number(values[names.indexOf('OutNoRoutes')])
}
