import { describe, expect, test } from 'vitest'
import type { Change } from '../../../agent/model/change.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { undoNames } from '../../../agent/plan/undo-names.ts'
import { hostWith } from '../simulated-host.ts'

/** Links 2, 3 and 4 have the names ens2, ens3 and ens4 before the run. */

const host = (more: Partial<HostState> = {}) =>
	hostWith(
		[2, 3, 4].map(ifindex => ({ ifindex, name: `ens${ifindex}`, mac: `02:00:00:00:00:0${ifindex}` })),
		more,
	)
const rename = (link: number, to: string): Change => ({ kind: 'rename', link, to })
const altname = (kind: 'addAltname' | 'removeAltname', link: number, name: string): Change => ({ kind, link, name })
const wait = (...names: string[]) => ({ action: { kind: 'waitForNames', names } })
const undo = (changes: Change[], more: Partial<HostState> = {}) => undoNames(changes, host().links, host(more))
const asSteps = (...changes: Change[]) => changes.map(change => ({ change }))

describe('an undo', () => {
	test.each<[title: string, changes: Change[], undo: Change[]]>([
		['renames no link that the run did not rename', [{ kind: 'up', link: 3 }], []],
		[
			'restores the name of a link, after removing it from the altnames',
			[rename(3, 'multinic0')],
			[altname('removeAltname', 3, 'ens3'), rename(3, 'ens3')],
		],
		[
			'uses no temporary name if only the run used one',
			[rename(3, 'mntmp3'), rename(3, 'ens3')],
			[altname('removeAltname', 3, 'ens3'), rename(3, 'ens3')],
		],
		[
			'uses no temporary name if a link got the name of one that is not renamed',
			[rename(3, 'ens4')],
			[altname('removeAltname', 3, 'ens3'), rename(3, 'ens3')],
		],
		[
			'uses no temporary names if several links got new names',
			[rename(3, 'multinic0'), rename(4, 'multinic1')],
			[...[altname('removeAltname', 3, 'ens3'), altname('removeAltname', 4, 'ens4')], ...[rename(3, 'ens3'), rename(4, 'ens4')]],
		],
		[
			'uses temporary names if a link got the name of another',
			[rename(3, 'multinic0'), rename(4, 'ens3')],
			[
				...[altname('removeAltname', 3, 'ens3'), altname('removeAltname', 4, 'ens4')],
				...[rename(3, 'mntmp3'), rename(4, 'mntmp4')],
				...[rename(3, 'ens3'), rename(4, 'ens4')],
			],
		],
		['removes an altname that the run added', [altname('addAltname', 3, 'a')], [altname('removeAltname', 3, 'a')]],
		[
			'adds a removed altname again after the link no longer has it as its name',
			[altname('removeAltname', 3, 'multinic0'), rename(3, 'multinic0')],
			[altname('removeAltname', 3, 'ens3'), rename(3, 'ens3'), altname('addAltname', 3, 'multinic0')],
		],
	])('%s', (_, changes, expected) => {
		expect(undo(changes)).toEqual(asSteps(...expected))
	})

	test('sets a link down to rename it if the kernel requires that', () => {
		expect(undo([rename(3, 'multinic0')], { liveRename: false })).toEqual(
			asSteps(altname('removeAltname', 3, 'ens3'), { kind: 'down', link: 3 }, rename(3, 'ens3')),
		)
	})

	test('waits until the daemons have detected the temporary names, and later the original ones', () => {
		expect(undo([rename(3, 'ens4'), rename(4, 'ens3')], { networkd: true })).toEqual([
			...asSteps(altname('removeAltname', 3, 'ens3'), altname('removeAltname', 4, 'ens4')),
			...[...asSteps(rename(3, 'mntmp3'), rename(4, 'mntmp4')), wait('mntmp3', 'mntmp4')],
			...[...asSteps(rename(3, 'ens3'), rename(4, 'ens4')), wait('ens3', 'ens4')],
		])
	})
})
