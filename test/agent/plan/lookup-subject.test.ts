import { expect, test } from 'vitest'
import type { Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { subjectOf } from '../../../agent/plan/lookup-subject.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

test('the route lookups of a run cover its links, networks, addresses and pods, and the paths of the node', () => {
	const nics = [
		{ addresses: ['10.0.0.23/24'], gateway: '10.0.0.1' },
		{ addresses: ['10.0.1.23/24', 'fd00::23/64'], routes: [{ to: '172.16.0.0/12', via: '10.0.1.1' }] },
	].map((nic, id) => ({ id, macAddress: `fa:16:3e:00:00:0${id}`, ...nic }))
	const links = hostWith(nics.map(({ id, macAddress }) => ({ ifindex: id + 7, name: `ens${id}`, mac: macAddress }))).links
	const accepted = settle(Interfaces.parse(nics), { podNetworks: ['10.244.0.0/16', 'fd44::/64'] }).map((nic, at) => ({
		nic,
		link: links[at] as Link,
		ours: undefined,
	}))
	const released = [{ ours: {} as RecordedLink, link: { ifindex: 9 } as Link }]
	const moves = [{ link: 10, from: 'ens10', to: 'multinic3' }]
	const selection = { accepted, refused: [], released, kept: [], moves, shared: new Map(), bases: [DEFAULT_BASES] }

	expect(subjectOf(selection, ['10.96.0.1'])).toEqual({
		touched: new Set([7, 8, 10, 9]),
		networks: ['10.0.0.0/24', '0.0.0.0/0', '10.0.1.0/24', 'fd00::/64', '172.16.0.0/12'],
		given: ['10.0.0.23', '10.0.1.23', 'fd00::23'],
		paths: ['10.96.0.1'],
		pods: ['10.244.0.0/16', 'fd44::/64'],
		bases: [DEFAULT_BASES],
	})
	const withoutPods = accepted.map(({ nic: { podNetworks: _, ...nic }, ...one }) => ({ ...one, nic }))
	expect(subjectOf({ ...selection, accepted: withoutPods }, []).pods).toEqual([])
})
