import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Accepted, Released } from '../../../agent/model/selection.ts'
import { type Bisect, type ChangeId, giveUp, isFinished, onFailure, onSuccess, startBisect, withheld } from '../../../agent/run/bisect.ts'
import { type Interface, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** Interfaces that are a likely cause of a lost path, and others. */
const plain = (id: number) => ({ address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, gateway: `10.0.${id}.1` })
const kinds = {
	plain,
	onThePath: (id: number) => ({ address: `192.168.9.2${id}`, cidr: '192.168.9.0/24' }),
	leadsToThePath: (id: number) => ({ ...plain(id), routes: [{ to: '192.168.0.0/16', via: `10.0.${id}.1`, table: 254 }] }),
	defaultRoute: (id: number) => ({ ...plain(id), defaultRoute: true }),
	leadsElsewhere: (id: number) => ({ ...plain(id), routes: [{ to: '172.16.0.0/16', via: `10.0.${id}.1`, table: 254 }] }),
	leadsByOwnTable: (id: number) => ({ ...plain(id), routes: [{ to: '192.168.0.0/16', via: `10.0.${id}.1` }] }),
} satisfies Record<string, (id: number) => Partial<Interface>>
type Kind = keyof typeof kinds

function accepted(all: readonly Kind[]): Accepted[] {
	const nics = settle(all.map((kind, id) => ({ id, macAddress: mac(id), ...kinds[kind](id) })))
	const { links } = hostWith(nics.map(({ id }) => ({ ifindex: id + 3, name: `ens${id}`, mac: mac(id) })))
	return nics.flatMap((nic, at) => (links[at] ? [{ nic, link: links[at], ours: undefined }] : []))
}

/** An interface that is no longer desired; its address decides whether the path used it. */
function removal(id: number, address = `10.1.${id}.23/24`): Released {
	const original = { name: `ens${id}`, altnames: [], mtu: 1500, up: false, sysctls: {} }
	const name = `multinic${id}`
	return { ours: { mac: mac(id), id, name, original, addresses: [address], former: [], routes: [], files: {} }, link: undefined }
}

/** The result of a search with these causes. */
function searched(
	all: readonly Kind[],
	causes: readonly ChangeId[],
	removals: readonly Released[] = [],
): { culprits: readonly ChangeId[]; losses: number; attempts: number } {
	let search: Bisect | undefined = startBisect(accepted(all), ['192.168.9.1'], removals)
	let losses = 1
	for (let attempts = 1; ; attempts++) {
		if (!search || isFinished(search)) return { culprits: search?.guilty ?? [], losses, attempts }
		const held = withheld(search)
		const isLost = causes.some(id => !held.includes(id))
		losses += isLost ? 1 : 0
		search = isLost ? onFailure(search) : onSuccess(search)
	}
}

const someKinds = fc.array(fc.constantFrom(...(Object.keys(kinds) as Kind[])), { minLength: 1, maxLength: 10 })
const wish = someKinds.chain(all => fc.record({ all: fc.constant(all), culprit: fc.nat(all.length - 1), others: fc.boolean() }))

describe('the interface that breaks a path of the node', () => {
	test('is found among up to ten, without blaming another, with at most five losses', () => {
		fc.assert(
			fc.property(wish, ({ all, culprit, others }) => {
				const { culprits, losses } = searched(all, [culprit], others ? [removal(9)] : [])
				expect(culprits).toEqual([culprit])
				expect(losses).toBeLessThanOrEqual(5)
			}),
			{ numRuns: 2_000 },
		)
	})

	test('is found even if there are two', () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.nat(9), { minLength: 2, maxLength: 2 }), causes => {
				const { culprits } = searched(Array<Kind>(10).fill('plain'), causes)
				expect(culprits.toSorted()).toEqual(causes.toSorted())
			}),
		)
	})

	test.each<[title: string, all: Kind[], culprit: number, losses: number]>([
		['with one loss if only one has the network of the path', ['plain', 'onThePath', 'plain', 'plain'], 1, 1],
		['with one loss if only one has a route to the path', ['plain', 'plain', 'leadsToThePath', 'plain'], 2, 1],
		['with one loss if only one requests the default route', ['defaultRoute', 'plain', 'plain', 'plain'], 0, 1],
		['by its network, although another one requests the default route', ['defaultRoute', 'onThePath', 'plain', 'plain'], 1, 1],
		['by bisection if there is no likely cause', ['plain', 'plain', 'plain', 'plain'], 3, 1],
		['by bisection if all are equally likely', ['onThePath', 'onThePath', 'onThePath', 'onThePath'], 0, 3],
		['by bisection of the others if the likely one is not the cause', ['onThePath', 'plain', 'plain', 'plain'], 3, 2],
		['without another loss if there is only one', ['plain'], 0, 1],
	])('is found %s', (_, all, culprit, losses) => {
		expect(searched(all, [culprit])).toMatchObject({ culprits: [culprit], losses })
	})

	test.each<[title: string, all: Kind[], removals: Released[], losses: number]>([
		['found without a trial if the path used it', ['plain', 'plain'], [removal(8), removal(9, '192.168.9.5/24')], 1],
		['found without a trial if it is the only change', [], [removal(9)], 1],
		['tried alone if there is no likely cause', ['plain', 'plain'], [removal(9)], 2],
		['tried after the interface with the network of the path', ['onThePath', 'plain'], [removal(9)], 3],
	])('is a removal, %s', (_, all, removals, losses) => {
		expect(searched(all, [mac(9)], removals)).toMatchObject({ culprits: [mac(9)], losses })
	})

	const onLink = (cidr: string): Released => ({
		...removal(9),
		link: hostWith([{ ifindex: 3, name: 'multinic9', mac: mac(9), addresses: [{ family: 4, cidr, global: true, dynamic: false }] }])
			.links[0],
	})
	const withRoute = (table: number): Released => {
		const one = removal(9)
		return { ...one, ours: { ...one.ours, routes: [{ to: '192.168.0.0/16', table, metric: 0 }] } }
	}

	test.each<[title: string, all: Kind[], removals: Released[], held: ChangeId[]]>([
		['with the network of one hop', ['plain', 'onThePath', 'plain'], [], [1]],
		['with a route to one hop', ['plain', 'leadsToThePath', 'plain'], [], [1]],
		['with a route to one hop, not one with a default route', ['defaultRoute', 'leadsToThePath', 'plain'], [], [1]],
		['with a default route, not one with another route', ['leadsElsewhere', 'defaultRoute', 'plain'], [], [1]],
		['in the second half, if a route is in the table of its own interface', ['leadsByOwnTable', 'plain', 'plain', 'plain'], [], [2, 3]],
		['that is removed, if its link has an address in the network of one hop', ['plain', 'plain'], [onLink('192.168.9.5/24')], [mac(9)]],
		[
			'that is desired, if the link of the removal no longer has its recorded address',
			['plain'],
			[{ ...removal(9, '192.168.9.5/24'), link: onLink('10.1.9.23/24').link }],
			[0],
		],
		['that is removed, if its record has a route to one hop', ['plain', 'plain'], [withRoute(254)], [mac(9)]],
		['that is desired, if the recorded route of the removal is in another table', ['plain', 'plain'], [withRoute(109)], [0, 1]],
	])('is first assumed to be one %s', (_, all, removals, held) => {
		expect(withheld(startBisect(accepted(all), ['10.99.0.1', '192.168.9.1'], removals))).toEqual(held)
	})

	test.each<[title: string, search: Partial<Bisect>, isOver: boolean]>([
		['if nothing is left', { guilty: [1] }, true],
		['unless a candidate is left', { candidates: [0] }, false],
		['unless a trial is in progress', { candidates: [0], trial: [0] }, false],
		['unless something is deferred', { trial: [0], deferred: [0] }, false],
	])('is found %s', (_, search, isOver) => {
		expect(isFinished({ candidates: [], trial: [], deferred: [], guilty: [], ...search })).toBe(isOver)
	})

	test('may be any that was not tested, if there is no time to search', () => {
		const search = onSuccess(startBisect(accepted(['plain', 'plain', 'plain', 'plain']), [], []))
		expect(search).toMatchObject({ candidates: [2, 3], trial: [2] })
		expect(withheld(giveUp(search)).toSorted()).toEqual([2, 3])
	})
})
