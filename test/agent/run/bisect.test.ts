import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Accepted, Released } from '../../../agent/model/selection.ts'
import { type Bisect, type ChangeId, giveUp, isFinished, onFailure, onSuccess, startBisect, withheld } from '../../../agent/run/bisect.ts'
import { type Interface, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** What makes an interface a likely cause, and what does not. */
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

/** An interface that is no longer desired; the path used it or did not. */
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

describe('the interface that costs the node a path', () => {
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
		['with one loss where only one is in the way of the path', ['plain', 'onThePath', 'plain', 'plain'], 1, 1],
		['with one loss where only one leads to where the path goes', ['plain', 'plain', 'leadsToThePath', 'plain'], 2, 1],
		['with one loss where only one asked for the default route', ['defaultRoute', 'plain', 'plain', 'plain'], 0, 1],
		['by what is in the way, before what asked for the default route', ['defaultRoute', 'onThePath', 'plain', 'plain'], 1, 1],
		['by halves where nothing tells', ['plain', 'plain', 'plain', 'plain'], 3, 1],
		['by halves where all are alike', ['onThePath', 'onThePath', 'onThePath', 'onThePath'], 0, 3],
		['by halves of the rest where the likely one was not it', ['onThePath', 'plain', 'plain', 'plain'], 3, 2],
		['without another loss where there is only one', ['plain'], 0, 1],
	])('is found %s', (_, all, culprit, losses) => {
		expect(searched(all, [culprit])).toMatchObject({ culprits: [culprit], losses })
	})

	test.each<[title: string, all: Kind[], removals: Released[], losses: number]>([
		['without a trial where the path went by it', ['plain', 'plain'], [removal(8), removal(9, '192.168.9.5/24')], 1],
		['without a trial where it is the only change', [], [removal(9)], 1],
		['tried alone where nothing tells', ['plain', 'plain'], [removal(9)], 2],
		['tried after the interface that is in the way', ['onThePath', 'plain'], [removal(9)], 3],
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
		['that is in the way of one hop', ['plain', 'onThePath', 'plain'], [], [1]],
		['that leads to one hop', ['plain', 'leadsToThePath', 'plain'], [], [1]],
		['that leads to one hop, not one with a default route', ['defaultRoute', 'leadsToThePath', 'plain'], [], [1]],
		['with a default route, not one that leads elsewhere', ['leadsElsewhere', 'defaultRoute', 'plain'], [], [1]],
		['in the second half, if a route is in the table of its own interface', ['leadsByOwnTable', 'plain', 'plain', 'plain'], [], [2, 3]],
		['whose link has an address in the way, although it is removed', ['plain', 'plain'], [onLink('192.168.9.5/24')], [mac(9)]],
		[
			'that is desired, if the link of the removal has its recorded address no longer',
			['plain'],
			[{ ...removal(9, '192.168.9.5/24'), link: onLink('10.1.9.23/24').link }],
			[0],
		],
		['whose recorded route leads to one hop, although it is removed', ['plain', 'plain'], [withRoute(254)], [mac(9)]],
		['that is desired, if the recorded route of the removal is in another table', ['plain', 'plain'], [withRoute(109)], [0, 1]],
	])('is first taken to be one %s', (_, all, removals, held) => {
		expect(withheld(startBisect(accepted(all), ['10.99.0.1', '192.168.9.1'], removals))).toEqual(held)
	})

	test.each<[title: string, search: Partial<Bisect>, isOver: boolean]>([
		['if nothing is left', { guilty: [1] }, true],
		['unless a candidate is left', { candidates: [0] }, false],
		['unless a candidate is tried', { candidates: [0], trial: [0] }, false],
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
