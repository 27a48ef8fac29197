import { beforeEach, describe, expect, test } from 'vitest'
import type { Refusal } from '../../../agent/model/check.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import type { Accepted } from '../../../agent/model/selection.ts'
import { failure } from '../../../agent/model/failure.ts'
import { type Meddle, pretendClock } from './pretended-host.ts'
import { mac, nic, node, type Ran, ranOn } from './pretended-run.ts'

/** The input of a plan: the config, the node, and what netplan would reject. */

beforeEach(pretendClock)

type Order = Parameters<typeof ranOn>[0]
const configured = async (): Promise<HostState> => (await ranOn({})).pretended.now()
const states = ({ report, bug }: Ran) => report?.interfaces.map(({ state, reason }) => `${state} ${reason}`) ?? String(bug)

describe('an interface is refused', () => {
	test.each<[title: string, order: Order, reason: string, message: RegExp]>([
		['if the node has its address', { config: { nodeAddresses: ['10.0.1.23'] } }, 'InUse', /Kubernetes lists it for this node/],
		[
			'if the API server has its address',
			{ apiServer: { host: '10.0.1.23', port: 6443 } },
			'InUse',
			/this node reaches another machine or pod at it/,
		],
		[
			'if a nameserver has its address',
			{ own: { nameservers: () => ['10.9.0.1', '10.0.1.23'] } },
			'InUse',
			/this node reaches another machine or pod at it/,
		],
		[
			'if one of its routes contains the API server',
			{
				apiServer: { host: '10.9.0.1', port: 6443 },
				wish: [nic(0), nic(1, { routes: [{ to: '10.9.0.0/16', via: '10.0.1.1', table: 254 }] }), nic(2)],
			},
			'NotAllowed',
			/the API server/,
		],
		[
			'if the chart does not allow its default route',
			{ config: { allowDefaultRoute: false }, wish: [nic(0), nic(1, { defaultRoute: true }), nic(2)] },
			'NotAllowed',
			/allowDefaultRoute/,
		],
	])('%s', async (_, order, ...[reason, message]) => {
		const ran = await ranOn({ ...order, config: { mode: 'Plan', ...order.config } })
		expect(states(ran)).toEqual(['Pending Planned', `Failed ${reason}`, 'Pending Planned'])
		expect(ran.report?.interfaces[1]?.message).toMatch(message)
	})
})

test('an interface whose network overlaps a protected network gets no connected route', async () => {
	const ran = await ranOn({ config: { protectedNetworks: ['10.0.1.128/25'] } })
	expect(states(ran)).toEqual(Array(3).fill('Configured Configured'))
	expect(ran.report?.interfaces.map(({ warnings }) => warnings.map(({ reason }) => reason))).toEqual([[], ['SharedNetwork'], []])
})

describe('what netplan would reject at the next boot', () => {
	const refusal: Refusal = { reason: 'InUse', message: 'netplan rejects /etc/netplan/50-a.yaml' }
	const rejecting =
		(failed: number[], kept: string[] = []): Meddle =>
		async ({ what }, act) => {
			const all = await act()
			return what === 'predictRejections'
				? { failed: new Map(failed.map(id => [id, refusal])), kept: new Map(kept.map(of => [of, refusal])) }
				: all
		}
	const generated = ({ happened }: Ran) =>
		happened.flatMap(({ what, args: [selection] }) =>
			what === 'generate' ? [(selection as { accepted: Accepted[] }).accepted.map(({ nic: { id } }) => id)] : [],
		)

	test('is not in the plan, and its files are not generated', async () => {
		const ran = await ranOn({ config: { mode: 'Plan' }, meddle: rejecting([1]) })
		expect(states(ran)).toEqual(['Pending Planned', 'Failed InUse', 'Pending Planned'])
		expect(ran.report?.interfaces[1]?.message).toBe(refusal.message)
		expect(generated(ran)).toEqual([[0, 2]])
	})

	test('is neither configured nor removed', async () => {
		const wish = [nic(0), nic(1)]
		const ran = await ranOn({ start: await configured(), wish, config: { mode: 'Plan' }, meddle: rejecting([1], [mac(2)]) })
		expect(states(ran)).toEqual(['Configured AlreadyConfigured', 'Failed InUse'])
		expect(ran.report?.notRemoved).toMatchObject([{ macAddress: mac(2), reason: 'InUse' }])
	})

	test('is refused, and so is what the chart does not allow', async () => {
		const wish = [nic(0, { defaultRoute: true }), nic(1), nic(2)]
		const ran = await ranOn({ wish, config: { mode: 'Plan', allowDefaultRoute: false }, meddle: rejecting([1]) })
		expect(states(ran)).toEqual(['Failed NotAllowed', 'Failed InUse', 'Pending Planned'])
	})

	test('is not removed, nor is what an earlier attempt did not remove', async () => {
		const meddle: Meddle = async (call, act, pretended) => {
			if (call.what === 'apply' && call.nth === 0) throw failure('COMMAND_FAILED', 'no')
			return rejecting([], call.nth === 0 ? [] : [mac(1)])(call, act, pretended)
		}
		const ran = await ranOn({ start: await configured(), wish: [nic(0, { mtu: 1400 })], meddle })
		expect(ran.report).toMatchObject({ outcome: 'PartlyFailed' })
		expect(ran.report?.notRemoved?.map(({ macAddress, reason }) => [macAddress, reason])).toEqual([
			[mac(1), 'InUse'],
			[mac(2), 'CommandFailed'],
		])
	})
})

test('links are set down before they are renamed if the kernel requires that', async () => {
	const up = { ...node, links: node.links.map(link => ({ ...link, up: true })) }
	const ran = await ranOn({
		start: { ...up, liveRename: true },
		wish: [nic(0)],
		meddle: async ({ what, nth }, act) => {
			if (what === 'apply' && nth === 0) throw failure('COMMAND_FAILED', 'ip link set dev if5 name multinic0: Device or resource busy')
			return act()
		},
	})
	const kinds = ran.happened.flatMap(({ what, args: [steps] }) =>
		what === 'apply'
			? [(steps as { change?: { kind: string } }[]).map(({ change }) => change?.kind).filter(kind => kind === 'down' || kind === 'rename')]
			: [],
	)
	expect(kinds).toEqual([['rename'], ['down', 'rename']])
	expect(ran.report).toMatchObject({ outcome: 'Succeeded' })
})
