import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../agent/run/host.ts'
import type { Route } from '../../agent/model/route.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { comparable, hostWith, livingHost } from './simulated-host.ts'

/**
 * Hosts that lose a route that MultiNIC does not manage when certain NICs are up. A kernel test covers lost paths.
 */
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const foreign: Route = {
	family: 4,
	to: '10.77.0.0/16',
	via: '192.168.9.7',
	link: 2,
	table: 254,
	metric: 0,
	protocol: 3,
	type: 1,
	scope: 0,
	onlink: false,
}
const primary = { ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:01', up: true }

const wishes = fc
	.integer({ min: 2, max: 10 })
	.chain(count =>
		fc.record({ count: fc.constant(count), culprit: fc.nat(count - 1), asking: fc.subarray(Array.from({ length: count }, (_, id) => id)) }),
	)

describe('an interface that makes the node lose a route not managed by MultiNIC', () => {
	test('is the only one that fails, and all others are configured', async () => {
		await fc.assert(
			fc.asyncProperty(wishes, async ({ count, culprit, asking }) => {
				const { report, losses, now } = await runOn({ count, asking, isLost: up => up.includes(culprit) })
				expect(report.interfaces.map(({ id, reason }) => [id, reason])).toEqual(
					ids(count).map(id => [id, id === culprit ? 'ForeignChanged' : 'Configured']),
				)
				expect(report.interfaces[culprit]?.message).toMatch(
					/^changed but not managed by MultiNIC: route 10\.77\.0\.0\/16 .*; this interface is unchanged$/,
				)
				expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'ForeignChanged' })
				expect(losses).toBeLessThanOrEqual(5)
				expect(now().links[culprit + 1]).toMatchObject({ name: `ens${culprit}`, up: false, addresses: [] })
			}),
			{ numRuns: 100 },
		)
	})

	test('is not reported as failed if the route is also missing after the rollback, because another program is the cause', async () => {
		let isGone = false
		const isLost = (up: readonly number[]) => {
			isGone ||= up.length > 0
			return isGone
		}
		const { report, losses } = await runOn({ count: 4, asking: [], isLost })
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 4/4' })
		expect(report.notes).toEqual([expect.stringMatching(/^changed by another program during the run: route 10\.77\.0\.0\/16 /)])
		expect(losses).toBe(1)
	})

	test('is not searched for if there is no other interface, and the run is rolled back', async () => {
		const { report, losses, start, now } = await runOn({ count: 1, asking: [], isLost: up => up.length > 0 })
		expect(report).toMatchObject({ outcome: 'RolledBack', reason: 'ForeignChanged' })
		expect(losses).toBe(1)
		expect(comparable(now())).toEqual(comparable(start))
	})
})

/** @param isLost whether the route is lost while the NICs with these ids are up */
async function runOn({ count, asking, isLost }: { count: number; asking: readonly number[]; isLost(up: readonly number[]): boolean }) {
	const start = hostWith([primary, ...ids(count).map(id => ({ ifindex: id + 3, name: `ens${id}`, mac: mac(id) }))], { routes: [foreign] })
	const { host, now } = livingHost(start)
	let losses = 0
	const observe: Host['observe'] = async macs => {
		const state = await host.observe(macs)
		const up = state.links.filter(link => link.up && link.ifindex > 2).map(({ ifindex }) => ifindex - 3)
		return isLost(up) ? { ...state, routes: state.routes.filter(({ to }) => to !== foreign.to) } : state
	}
	const undo: Host['undo'] = changes => {
		losses++
		return host.undo(changes)
	}
	const wish = ids(count).map(id => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		gateway: `10.0.${id}.1`,
		defaultRoute: asking.includes(id),
	}))
	const surrounding = { log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined }
	const report = await run(runConfig(wish), { ...host, observe, undo }, surrounding)
	return { report, losses, start, now }
}

function ids(count: number): number[] {
	return Array.from({ length: count }, (_, id) => id)
}
