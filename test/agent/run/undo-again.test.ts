import { beforeEach, describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import { hostWith } from '../simulated-host.ts'
import { type Meddle, pretendClock } from './pretended-host.ts'
import { fails, mac, nic, node, orderOf, type Ran, ranOn, route, tookMs, withLink, withRoutes, wordsOf } from './pretended-run.ts'

/** Rollbacks that need several undos or some time, or during which other programs change something. */

beforeEach(pretendClock)

const isAfter = (operation: string, { happened }: Pick<Ran, 'happened'>) => happened.some(({ what }) => what === operation)

/** Makes the changes and then fails. `undo`: replacements of the undos, in order. */
const failing =
	(...undo: ((act: () => Promise<unknown>) => Promise<unknown>)[]): Meddle =>
	async ({ what, nth }, act) => {
		const instead = what === 'undo' ? undo[nth] : undefined
		if (instead) return instead(act)
		const result = await act()
		if (what === 'apply') throw fails()
		return result
	}
const nothing =
	(...complaints: string[]) =>
	async () =>
		complaints
const complete = (act: () => Promise<unknown>) => act()

describe('an undo after which something is not restored', () => {
	const wish = [nic(0)]
	const daemons: [name: string, start: HostState][] = [
		['systemd-networkd', { ...node, networkd: true }],
		['NetworkManager', { ...node, networkmanager: true }],
	]

	test.each(daemons)('is repeated after a second on a host with %s', async (_, start) => {
		const ran = await ranOn({ start, wish, meddle: failing(nothing(), nothing(), complete) })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual(['undo', 'undo', 'undo', 'disarm'])
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed' })
		expect(tookMs(ran)).toBe(2_000)
		const asked = ran.happened.flatMap(({ what, args }) => (what === 'observe' ? [args] : []))
		expect(asked).toEqual(Array(4).fill([[mac(0)]]))
	})

	test.each(daemons)('is repeated no more than twice on a host with %s', async (_, start) => {
		const ran = await ranOn({
			start,
			wish,
			meddle: failing(nothing('ip: first'), nothing('ip: second'), nothing('ip: no', 'ip: never'), complete),
		})
		expect(orderOf(ran, 'undo', 'disarm')).toEqual(['undo', 'undo', 'undo'])
		expect(ran.report).toMatchObject({ outcome: 'Failed', reason: 'NotRestored' })
		expect(wordsOf(ran, 'NOT rolled back')).toEqual([expect.stringMatching(/^ens0, .*; new: .* \(ip: no; ip: never\)$/)])
	})

	test('is not repeated on a host without a daemon', async () => {
		const ran = await ranOn({ wish, meddle: failing(nothing('ip: no'), complete) })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual(['undo'])
		expect(tookMs(ran)).toBe(0)
	})

	test('is not repeated if everything is restored, regardless of what the undo reports', async () => {
		const ran = await ranOn({ start: { ...node, networkd: true }, wish, meddle: failing(act => act().then(() => ['ip: no'])) })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual(['undo', 'disarm'])
		expect(ran.report).toMatchObject({ outcome: 'RolledBack' })
	})
})

describe('an undo that fails', () => {
	const wish = [nic(0)]
	const gone = () => Promise.reject(fails('ip: gone'))
	const bug = () => Promise.reject(new TypeError('of undefined'))

	test('is treated as complete if everything is restored', async () => {
		const ran = await ranOn({ wish, meddle: failing(act => act().then(gone)) })
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed' })
		expect(orderOf(ran, 'undo', 'disarm')).toEqual(['undo', 'disarm'])
	})

	test('is in the log with the cause if something is not restored', async () => {
		const ran = await ranOn({ wish, meddle: failing(gone) })
		expect(wordsOf(ran, 'NOT rolled back')).toEqual([expect.stringMatching(/ \(ip: gone\)$/)])
	})

	test.each<[title: string, operation: string]>([
		['the undo', 'undo'],
		['an observation after it', 'observe'],
	])('because of a bug of the agent in %s leaves the host armed, without a report', async (_, operation) => {
		const meddle: Meddle = async (call, act, pretended) =>
			call.what === operation && isAfter('undo', pretended) ? bug() : failing()(call, act, pretended)
		const ran = await ranOn({ wish, meddle })
		expect(ran.bug).toEqual(new TypeError('of undefined'))
		expect(orderOf(ran, 'disarm', 'commit')).toEqual([])
		expect(ran.pretended.isArmed()).toBe(true)
	})
})

describe('NetworkManager, to which a rollback returns a NIC,', () => {
	const start = hostWith([{ ifindex: 5, name: 'ens0', mac: mac(0), up: true, managedBy: 'NetworkManager' }], { networkmanager: true })
	/** The first observations after the undo show another MTU. */
	const restoresAfter = (observations: number): Meddle => {
		let nth = 0
		return async (call, act, pretended) => {
			const result = await failing()(call, act, pretended)
			if (call.what !== 'observe' || !isAfter('undo', pretended)) return result
			return nth++ < observations ? withLink(result as HostState, 5, { mtu: 1400 }) : result
		}
	}

	test.each<[title: string, observations: number, undos: number, took: number]>([
		['is not awaited if the NIC is restored', 0, 1, 0],
		['is observed every half second', 3, 1, 1_500],
		['has 10 s to restore the NIC', 20, 1, 10_000],
		['is followed by a second undo after that', 21, 2, 11_000],
	])('%s', async (_, observations, undos, took) => {
		const ran = await ranOn({ start, wish: [nic(0)], meddle: restoresAfter(observations) })
		expect(ran.report, String(ran.bug)).toMatchObject({ outcome: 'RolledBack' })
		expect(orderOf(ran, 'undo')).toHaveLength(undos)
		expect(tookMs(ran)).toBe(took)
	})

	test('is not awaited if it did not manage the NIC', async () => {
		const links = start.links.map(({ managedBy: _, ...link }) => link)
		const ran = await ranOn({ start: { ...start, links }, wish: [nic(0)], meddle: restoresAfter(1) })
		expect(orderOf(ran, 'undo')).toHaveLength(2)
		expect(tookMs(ran)).toBe(1_000)
	})
})

describe('what other programs changed during an attempt', () => {
	const theirs = [7, 8].map(id => route({ to: `10.7${id}.0.0/16`, via: '192.168.9.7' }))
	const [first] = theirs
	const start = withRoutes(node, ...theirs)
	/** Both routes are missing after the changes, and these exist again after the undo. */
	const taking =
		(...back: typeof theirs): Meddle =>
		async ({ what, nth }, act, { now, put }) => {
			const result = await act()
			const without = now().routes.filter(({ to }) => !theirs.some(one => one.to === to))
			if (what === 'apply' && nth === 0) put({ ...now(), routes: without })
			if (what === 'undo' && nth === 0) put({ ...now(), routes: [...without, ...back] })
			return result
		}

	test('is ignored by the next attempt if all of it is still changed after the rollback', async () => {
		const ran = await ranOn({ start, wish: [nic(0)], meddle: taking() })
		expect(ran.report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect(ran.report?.notes).toHaveLength(2)
	})

	test('does not excuse the run for what the rollback has restored', async () => {
		const ran = await ranOn({ start, wish: [nic(0)], meddle: taking(...(first ? [first] : [])) })
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'ForeignChanged' })
		expect(ran.report?.notes).toEqual([expect.stringMatching(/^changed by another program during the run: route 10\.78\.0\.0\/16 /)])
		expect(wordsOf(ran, 'rolled back')).toEqual([expect.not.stringContaining('10.77.0.0')])
	})

	test('does not excuse the run if it failed for another reason', async () => {
		const ran = await ranOn({
			start,
			wish: [nic(0)],
			meddle: async (call, act, pretended) => {
				const result = await taking()(call, act, pretended)
				if (call.what === 'apply') throw fails()
				return result
			},
		})
		expect(ran.report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed' })
		expect(ran.report?.notes).toHaveLength(2)
	})

	test('includes packets that now leave through another link, if nothing else is missing', async () => {
		const ran = await ranOn({
			wish: [nic(0)],
			meddle: async (call, act, pretended) => {
				const result = await act()
				if (call.what !== 'lookUp' || !isAfter('apply', pretended)) return result
				return (result as object[]).map(() => ({ links: [9] }))
			},
		})
		expect(wordsOf(ran, 'rolled back')[0]).toMatch(/^the changes of this run are rolled back; changed by another program: packets /)
		expect(ran.report?.notes?.[0]).toMatch(/^changed by another program during the run: packets /)
	})
})
