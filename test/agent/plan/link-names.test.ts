import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { type RecordedLink, recordFile } from '../../../agent/model/record.ts'
import type { Move, Selection } from '../../../agent/model/selection.ts'
import { movesOf, nameTaken } from '../../../agent/plan/link-names.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { hostWith } from '../simulated-host.ts'
import { mac, recordedNic, rule, wantedNic } from './one-nic.ts'

/** Which link gets which name. Link N + 3 has the MAC of interface N. */

function hostOf(names: readonly (string | Partial<Link>)[], more: Partial<HostState> = {}): HostState {
	const links = names.map(one => (typeof one === 'string' ? { name: one } : one))
	return hostWith(
		links.map((link, at) => ({ ifindex: 3 + at, name: `ens${at}`, mac: mac(at), ...link })),
		more,
	)
}

function linkOf(host: HostState, id: number): Link {
	return host.links[id] as Link
}

function selectionOf(more: Partial<Selection>): Selection {
	return { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [DEFAULT_BASES], ...more }
}

const accepts = (host: HostState, ...ids: number[]) => ids.map(id => ({ nic: wantedNic({ id }), link: linkOf(host, id), ours: undefined }))
/** Releases the link of this id, which had this name. */
const releases = (host: HostState, ...all: [id: number, name: string][]) =>
	all.map(([id, name]) => ({ ours: recordedNic({ id, original: { name } }), link: host.links[id] }))

describe('the renames of a run', () => {
	test('give each interface its name, and each released link its original name', () => {
		const host = hostOf(['ens0', 'multinic1', 'ens2'])
		const moves = movesOf(selectionOf({ accepted: accepts(host, 0), released: releases(host, [1, 'ens8'], [9, 'ens9']) }), host)
		expect(moves).toEqual([
			{ link: 3, from: 'ens0', to: 'multinic0' },
			{ link: 4, from: 'multinic1', to: 'ens8' },
		])
	})

	type Row = [title: string, names: (string | Partial<Link>)[], released: [id: number, name: string][], moves: Move[]]
	test.each<Row>([
		['a released link keeps its name if another link keeps its original one', ['multinic0', 'ens7'], [[0, 'ens7']], []],
		[
			'a released link keeps its name if another link keeps its original one as an alternative name',
			['multinic0', { altnames: ['enp0s7', 'ens7'] }],
			[[0, 'ens7']],
			[],
		],
		[
			'a released link keeps its name if another released link keeps its original one as an alternative name',
			['multinic0', { name: 'multinic1', altnames: ['ens7'] }],
			[
				[0, 'ens7'],
				[1, 'ens8'],
			],
			[move(1, 'multinic1', 'ens8')],
		],
		[
			'a released link gets its original name even if it has it as an alternative name',
			[{ name: 'multinic0', altnames: ['ens7'] }],
			[[0, 'ens7']],
			[move(0, 'multinic0', 'ens7')],
		],
		[
			'two released links swap their names',
			['ens1', 'ens0'],
			[
				[0, 'ens0'],
				[1, 'ens1'],
			],
			[move(0, 'ens1', 'ens0'), move(1, 'ens0', 'ens1')],
		],
		[
			'of two released links with the same original name, the first gets it',
			['multinic0', 'multinic1'],
			[
				[0, 'ens7'],
				[1, 'ens7'],
			],
			[move(0, 'multinic0', 'ens7')],
		],
		[
			'a released link keeps its name if another link that keeps its name has the original one',
			['multinic0', 'ens0', 'ens1'],
			[
				[0, 'ens0'],
				[1, 'ens1'],
			],
			[],
		],
		[
			'a released link that keeps its name does not block others',
			['multinic0', 'multinic1', 'ens7'],
			[
				[0, 'ens7'],
				[1, 'ens8'],
			],
			[move(1, 'multinic1', 'ens8')],
		],
		[
			'a released link gets its original name if the link that has it gets another name',
			['multinic0', 'ens0'],
			[
				[0, 'ens0'],
				[1, 'ens1'],
			],
			[move(0, 'multinic0', 'ens0'), move(1, 'ens0', 'ens1')],
		],
	])('%s', (_, names, released, moves) => {
		const host = hostOf(names)
		expect(movesOf(selectionOf({ released: releases(host, ...released) }), host)).toEqual(moves)
	})

	test('a released link does not get a name that an interface gets', () => {
		const host = hostOf(['ens0', 'ens1'])
		const selection = selectionOf({ accepted: accepts(host, 0), released: releases(host, [1, 'multinic0']) })
		expect(movesOf(selection, host)).toEqual([move(0, 'ens0', 'multinic0')])
	})

	test('a released link gets a temporary name if its original name is in use and an interface gets its current name', () => {
		const host = hostOf(['ens0', 'multinic0', 'multinic2', 'ens9'])
		const released = releases(host, [1, 'ens9'], [2, 'ens9'])
		const moves = movesOf(selectionOf({ accepted: accepts(host, 0), released }), host)
		expect(moves).toEqual([move(0, 'ens0', 'multinic0'), move(1, 'multinic0', 'mntmp4')])
	})

	test('a released link gets a name that an interface no longer has', () => {
		const host = hostOf(['ens7', 'multinic1'])
		const selection = selectionOf({ accepted: accepts(host, 0), released: releases(host, [1, 'ens7']) })
		expect(movesOf(selection, host)).toEqual([move(0, 'ens7', 'multinic0'), move(1, 'multinic1', 'ens7')])
	})
})

describe('a refused link with a name that another link gets', () => {
	const refusal = { reason: 'MtuRefused', message: '' } as const
	type Row = [title: string, more: { ours?: RecordedLink; name?: string; others?: Partial<Link>[]; rules?: Rule[] }, isMoved: boolean]

	test.each<Row>([
		['gets its original name again', {}, true],
		['keeps its name if MultiNIC does not manage it', { ours: recordedNic({ id: 5 }) }, false],
		['keeps its name if that is a different one', { name: 'lan0' }, false],
		['keeps its name if another link uses it', { others: [{ name: 'vlan5', kind: 'vlan', lower: 4 }] }, false],
		['keeps its name if a rule names it', { rules: [rule({ iif: 'multinic0' })] }, false],
	])('%s', (_, { ours = recordedNic({ id: 1, original: { name: 'ens9' } }), name = 'multinic0', others = [], rules = [] }, isMoved) => {
		const record = recordFile({ version: 1, links: [ours] })
		const host = hostOf(['ens0', name, ...others], { rules, files: record ? { [RECORD_PATH]: record } : {} })
		const selection = selectionOf({
			accepted: accepts(host, 0),
			refused: [
				{ nic: wantedNic({ id: 1 }), refusal },
				{ nic: wantedNic({ id: 8 }), refusal },
			],
		})
		expect(movesOf(selection, host)).toEqual([move(0, 'ens0', 'multinic0'), ...(isMoved ? [move(1, 'multinic0', 'ens9')] : [])])
	})

	test('keeps its name if no link gets it after all', () => {
		const record = recordFile({ version: 1, links: [recordedNic({ id: 1, original: { name: 'ens9' } })] })
		const host = hostOf(['ens0', 'multinic1'], { files: record ? { [RECORD_PATH]: record } : {} })
		expect(movesOf(selectionOf({ refused: [{ nic: wantedNic({ id: 1 }), refusal }] }), host)).toEqual([])
	})
})

describe('the name of an interface', () => {
	const foreign = 'multinic0 is the name of another link (index 4), which MultiNIC must not rename'
	const see = 'ip -d link show dev multinic0'
	const used = 'multinic0 is the name of another link (index 4), which is in use:'

	test.each<
		[
			title: string,
			names: (string | Partial<Link>)[],
			more: { moves?: Move[]; rules?: Rule[] },
			found: { says: string; see: string } | undefined,
		]
	>([
		['is free', ['ens0', 'ens1'], {}, undefined],
		['is that of its own link', ['multinic0', 'ens1'], {}, undefined],
		['is an alternative name of its own link', [{ altnames: ['multinic0'] }, 'ens1'], {}, undefined],
		['is that of another link', ['ens0', 'multinic0'], {}, { says: foreign, see }],
		['is an alternative name of another link', ['ens0', { altnames: ['enp0s7', 'multinic0'] }], {}, { says: foreign, see }],
		[
			'is an alternative name of another link that gets another name',
			['ens0', { altnames: ['multinic0'] }],
			{ moves: [move(1, 'ens1', 'multinic1')] },
			{ says: foreign, see },
		],
		['is that of another link that gets another name', ['ens0', 'multinic0'], { moves: [move(1, 'multinic0', 'ens9')] }, undefined],
		[
			'is that of another link, while a third link gets another name',
			['ens0', 'multinic0', 'ens2'],
			{ moves: [move(2, 'ens2', 'ens9')] },
			{ says: foreign, see },
		],
		[
			'is that of another link that keeps it',
			['ens0', 'multinic0'],
			{ moves: [move(1, 'multinic0', 'multinic0')] },
			{ says: foreign, see },
		],
		[
			'is that of another link that a third link uses',
			['ens0', 'multinic0', { name: 'vlan5', kind: 'vlan', lower: 4 }],
			{ rules: [rule({ iif: 'multinic0' })] },
			{ says: `${used} vlan5 is on top of multinic0`, see: 'ip -d link show dev vlan5' },
		],
		[
			'is that of another link that a rule names',
			['ens0', 'multinic0'],
			{ rules: [rule({ iif: 'multinic0' })] },
			{ says: `${used} the rule 'from all lookup 77' names multinic0`, see: 'ip rule show priority 600' },
		],
	])('%s', (_, names, { moves = [], rules = [] }, found) => {
		const host = hostOf(names, { rules })
		const [accepted] = accepts(host, 0)
		expect(accepted && nameTaken.find({ accepted, selection: selectionOf({ moves }), host })).toEqual(found)
	})
})

function move(id: number, from: string, to: string): Move {
	return { link: 3 + id, from, to }
}
