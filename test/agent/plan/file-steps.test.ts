import { describe, expect, test } from 'vitest'
import { changedFile, type Step } from '../../../agent/model/change.ts'
import type { FileState, HostState } from '../../../agent/model/host-state.ts'
import {
	CLOUD_INIT_OFF,
	generated,
	keyfilePath,
	linkPath,
	netplanPath,
	RECORD_PATH,
	rulePath,
	sysctlPath,
} from '../../../agent/model/paths.ts'
import { HostRecord, recordFile, type RecordedLink } from '../../../agent/model/record.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { fileSteps, type Generated } from '../../../agent/plan/file-steps.ts'
import { afterEvery } from '../simulated-host.ts'
import { hostOf, linkOf, MAC, nicOf, oursOf, selected } from './selected.ts'

/** The files of a host after a run: those of the interfaces, the originals of removed ones, and the record. */

const file = (content: string, mode = 0o644): FileState => ({ content, mode, gid: 0 })
const withRecord = (links: RecordedLink[], files: Record<string, FileState> = {}) => {
	const record = recordFile({ version: 1, links })
	return hostOf({}, { files: { ...files, ...(record && { [RECORD_PATH]: record }) } })
}
const own = [netplanPath, rulePath, sysctlPath].map(of => of('multinic0'))
const accepted = (host: HostState, ours?: RecordedLink, nic = nicOf()) => [{ nic, link: linkOf(host), ours }]
const run = (plan: Partial<Selection>, host: HostState, made: Generated = {}) => {
	const steps = fileSteps(selected(plan), host, made)
	const { files } = afterEvery(host, steps, false)
	const record = files[RECORD_PATH]
	return { steps, files, links: record ? HostRecord.parse(JSON.parse(record.content)).links : [] }
}
const pathsIn = (steps: readonly Step[]) => steps.flatMap(step => changedFile(step) ?? [])
const actionsIn = (steps: readonly Step[]) => steps.flatMap(({ action }) => action ?? [])

describe('a configured interface', () => {
	const host = hostOf({}, { files: { [sysctlPath('multinic0')]: file('theirs') } })

	test('gets its files, and then the host gets a record with their originals', () => {
		const { steps, files, links } = run({ accepted: accepted(host) }, host)
		expect(steps.map(step => [step.id, changedFile(step)])).toEqual([...own.map(path => [0, path]), [undefined, RECORD_PATH]])
		const before = (path: string) => (path === sysctlPath('multinic0') ? file('theirs') : null)
		expect(links.map(link => link.files)).toEqual([
			Object.fromEntries(own.map(path => [path, { before: before(path), after: files[path]?.content }])),
		])
	})

	test('keeps the recorded originals in later runs, which change nothing', () => {
		const first = run({ accepted: accepted(host) }, host)
		const then = { ...host, files: first.files }
		const again = accepted(then, first.links[0])
		expect(run({ accepted: again }, then).steps).toEqual([])
		const changed = run({ accepted: again }, { ...then, files: { ...then.files, [sysctlPath('multinic0')]: file('changed') } })
		expect([pathsIn(changed.steps), changed.links, changed.files]).toEqual([[sysctlPath('multinic0')], first.links, first.files])
	})

	test('gets a file again if its mode is different', () => {
		const first = run({ accepted: accepted(host) }, host)
		const path = netplanPath('multinic0')
		const files = { ...first.files, [path]: file(first.files[path]?.content ?? '', 0o644) }
		expect(run({ accepted: accepted(host, first.links[0]) }, { ...host, files }).files).toEqual(first.files)
	})

	test("gets only the files that netplan's generator creates for it", () => {
		const [mine, others] = [generated.network('multinic0'), generated.network('multinic1')]
		const { files } = run({ accepted: accepted(hostOf()) }, hostOf(), { [mine]: file('made'), [others]: file('made') })
		expect(Object.keys(files).toSorted()).toEqual([...own, mine, RECORD_PATH].toSorted())
	})

	test.each<[title: string, content: string, after: string]>([
		['keeps the recorded content if only a VLAN on top of it is new', 'a\nVLAN=v5\n', 'a\n'],
		['gets the new content if it configures the link differently', 'b\n', 'b\n'],
	])('%s', (_, content, after) => {
		const path = generated.network('multinic0')
		const ours = oursOf({ files: { [path]: { before: null, after: 'a\n' } } })
		const start = withRecord([ours], { [path]: file('a\n') })
		expect(run({ accepted: accepted(start, ours) }, start, { [path]: file(content) }).links[0]?.files[path]).toEqual({
			before: null,
			after,
		})
	})

	test('whose id changes no longer has the files of its former id', () => {
		const first = run({ accepted: accepted(host) }, host)
		const then = { ...host, files: first.files }
		const { files, links } = run({ accepted: accepted(then, first.links[0], nicOf({ id: 1 })) }, then)
		expect(Object.keys(files).filter(path => path.includes('multinic0'))).toEqual([sysctlPath('multinic0')])
		expect(files[sysctlPath('multinic0')]).toEqual(file('theirs'))
		expect(Object.keys(links[0]?.files ?? {}).toSorted()).toEqual([netplanPath, rulePath, sysctlPath].map(of => of('multinic1')).toSorted())
	})
})

describe('a removed interface', () => {
	const shared = { [CLOUD_INIT_OFF]: { before: null, after: 'off' } }
	const one = oursOf({
		files: {
			...shared,
			[netplanPath('multinic0')]: { before: file('theirs'), after: 'ours' },
			[rulePath('multinic0')]: { before: null, after: 'ours' },
		},
	})
	const two = oursOf({ id: 1, mac: 'fa:16:3e:00:00:04', name: 'multinic1', files: shared })
	const files = { [CLOUD_INIT_OFF]: file('off'), [netplanPath('multinic0')]: file('ours'), [rulePath('multinic0')]: file('ours') }
	const host = withRecord([one, two], files)
	const link = { ...linkOf(host), name: 'ens3' }
	const released = { ours: one, link }

	test('leaves its original files, and no record if it is the last one', () => {
		const { steps, ...end } = run({ released: [released, { ours: two, link: undefined }] }, host)
		expect(end.files).toEqual({ [netplanPath('multinic0')]: file('theirs') })
		expect(pathsIn(steps)).toEqual([CLOUD_INIT_OFF, netplanPath('multinic0'), rulePath('multinic0'), RECORD_PATH])
	})

	test.each<[title: string, plan: Partial<Selection>]>([
		['whose removal is refused', { kept: [{ ours: two, link: undefined, refusal: { reason: 'InUse', message: '' } }] }],
		['that is refused', { refused: [{ nic: nicOf({ id: 1, macAddress: two.mac }), refusal: { reason: 'InUse', message: '' } }] }],
	])('leaves a file that an interface needs %s', (_, plan) => {
		const end = run({ released: [released], ...plan }, host)
		expect(end.files[CLOUD_INIT_OFF]).toEqual(file('off'))
		expect(end.links).toEqual([two])
	})

	test('leaves a file that another interface needs', () => {
		const forced = { ...host, cloudInit: { macs: [two.mac], forced: false } }
		const nic = nicOf({ id: 1, macAddress: two.mac })
		const end = run({ released: [released], accepted: accepted(forced, two, nic) }, forced)
		expect(end.files[CLOUD_INIT_OFF]?.content).toContain('network: {config: disabled}')
		expect(end.links.map(({ mac, files: { [CLOUD_INIT_OFF]: off } }) => [mac, off?.before])).toEqual([[two.mac, null]])
	})

	test.each<[title: string, name: string, moves: Selection['moves'], isRecorded: boolean]>([
		['that has its original name is no longer in the record', 'ens3', [], false],
		['that gets its original name is no longer in the record', 'multinic0', [{ link: 3, from: 'multinic0', to: 'ens3' }], false],
		['that cannot get its original name stays in the record', 'multinic0', [], true],
		['that gets another name stays in the record', 'multinic0', [{ link: 3, from: 'multinic0', to: 'mntmp3' }], true],
		['stays in the record if only another link is renamed', 'multinic0', [{ link: 2, from: 'eth2', to: 'ens3' }], true],
	])('%s', (_, name, moves, isRecorded) => {
		const ours = { ...one, addresses: ['10.0.0.23/24'], routes: [{ to: '10.9.0.0/16', table: 100, metric: 0 }] }
		const { links } = run({ released: [{ ours, link: { ...link, name } }], moves }, host)
		expect(links).toEqual(isRecorded ? [{ ...ours, addresses: [], routes: [], files: {} }] : [])
	})
})

describe('the daemons of the host', () => {
	const keyfiles = { netplan: false, networkmanager: true, keyfiles: true }
	const of = (more: Partial<HostState>) => {
		const host = hostOf({}, more)
		return { host, ...run({ accepted: accepted(host) }, host) }
	}

	test('are notified of new files at the end: udev of its rules, NetworkManager of the profile of the interface', () => {
		const { host, steps, files } = of({ ...keyfiles, udev: true })
		const path = keyfilePath('multinic0')
		expect(steps.slice(-2)).toEqual([{ action: { kind: 'reloadUdev' } }, { action: { kind: 'loadProfiles', paths: [path] } }])
		expect(Object.keys(files)).toContain(path)
		const then = { ...host, files: { ...files, [sysctlPath('multinic0')]: file('changed') } }
		const [ours] = HostRecord.parse(JSON.parse(files[RECORD_PATH]?.content ?? '')).links
		expect(actionsIn(run({ accepted: accepted(then, ours) }, then).steps)).toEqual([])
		const without = { ...then, files: { ...files, [linkPath('multinic0')]: file('changed') } }
		expect(actionsIn(run({ accepted: accepted(without, ours) }, without).steps)).toEqual([{ kind: 'reloadUdev' }])
	})

	test.each<[title: string, host: Partial<HostState>, actions: string[]]>([
		['are not notified if there is none', {}, []],
		['are only udev', { udev: true }, ['reloadUdev']],
		['are only NetworkManager', keyfiles, ['loadProfiles']],
		['do not load a profile if NetworkManager does not run', { ...keyfiles, networkmanager: false }, []],
		['do not load a profile if the backend has none', { networkmanager: true, networkd: true, generator: '/g', files: {} }, []],
	])('%s', (_, host, actions) => {
		expect(actionsIn(of(host).steps).map(({ kind }) => kind)).toEqual(actions)
	})
})

test('the record identifies the link by its MAC', () => {
	expect(run({ accepted: accepted(hostOf()) }, hostOf()).links).toMatchObject([
		{ mac: MAC, id: 0, name: 'multinic0', original: { name: 'ens3' } },
	])
})
