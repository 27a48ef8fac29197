import { describe, expect, test } from 'vitest'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { absence, releasedLater } from '../../../agent/plan/absence-checks.ts'
import { hostWith } from '../simulated-host.ts'
import { inputOf, mac, recordedNic } from './one-nic.ts'

/** Why a NIC in the record has no link. */

const device = { path: '/sys/devices/pci0/virtio3', driver: 'virtio_net' }
const says =
	'the NIC is in another network namespace, such as that of a pod: its device /sys/devices/pci0/virtio3 has the driver virtio_net and no link here'

describe.each<[title: string, ours: RecordedLink, inOtherNamespace: string[] | undefined, isElsewhere: boolean]>([
	['a NIC whose device has no link', recordedNic({ device }), [mac(1), mac(0)], true],
	['a NIC whose device is not on this host', recordedNic({ device }), [mac(1)], false],
	['a NIC on a host where every device has a link', recordedNic({ device }), undefined, false],
	['a NIC without a recorded device', recordedNic(), [mac(0)], false],
])('%s', (_, ours, inOtherNamespace, isElsewhere) => {
	const host = hostWith([], inOtherNamespace ? { inOtherNamespace } : {})

	test(`is ${isElsewhere ? '' : 'not '}in another namespace`, () => {
		const refusal = { reason: 'InOtherNamespace', message: `${says} (lsns -t net)` }
		expect(absence({ ours, host })).toEqual(isElsewhere ? refusal : undefined)
	})

	test(`is released ${isElsewhere ? 'later' : 'now'}`, () => {
		expect(releasedLater.find({ ours, link: undefined, host })).toEqual(isElsewhere ? { says, see: 'lsns -t net' } : undefined)
	})
})

test('a NIC that MultiNIC never managed is not reported in another namespace', () => {
	expect(absence({ ours: undefined, host: hostWith([], { inOtherNamespace: [mac(0)] }) })).toBe(undefined)
})

test('a NIC with a link is released now', () => {
	const { link, host } = inputOf({ host: { inOtherNamespace: [mac(0)] } })
	expect(releasedLater.find({ ours: recordedNic({ device }), link, host })).toBe(undefined)
})
