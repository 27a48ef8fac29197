import { expect, test } from 'vitest'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { recordFile } from '../../../agent/model/record.ts'
import { ownLinks } from '../../../agent/plan/own-links.ts'
import type { Reason } from '../../../contract/reasons.ts'
import { hostWith } from '../simulated-host.ts'
import { mac, recordedNic, wantedNic } from './one-nic.ts'

/** Which links are considered managed by MultiNIC. */

const record = recordFile({ version: 1, links: [recordedNic({ id: 2 })] })
const host = hostWith(
	[0, 1, 2, 3].map(id => ({ ifindex: 3 + id, name: `ens${id}`, mac: mac(id) })),
	{ files: record ? { [RECORD_PATH]: record } : {} },
)
const refused = (id: number, reason: Reason) => {
	const link = host.links[id]
	return { nic: wantedNic({ id }), refusal: { reason, message: '' }, ...(link && { link }) }
}
const nothing = { accepted: [], refused: [], kept: [] }

test.each<[title: string, more: Partial<Parameters<typeof ownLinks>[0]>, own: number[]]>([
	['of an accepted interface', { accepted: host.links.slice(1, 2).map(link => ({ nic: wantedNic(), link, ours: undefined })) }, [4]],
	['of an interface that failed', { refused: [refused(1, 'NameTaken')] }, [4]],
	['but not one that something else uses', { refused: [refused(1, 'InUse'), refused(3, 'Ambiguous')] }, []],
	['that something else uses, if it is in the record', { refused: [refused(2, 'InUse')] }, [5]],
	['but not one that does not exist', { refused: [refused(8, 'WaitingForDevice')] }, []],
	[
		'whose removal is refused',
		{ kept: [{ ours: recordedNic({ id: 3 }), link: undefined, refusal: { reason: 'InUse', message: '' } }] },
		[6],
	],
	['but no other link', {}, []],
])('MultiNIC manages a link %s', (_, more, own) => {
	expect([...ownLinks({ ...nothing, ...more }, host)]).toEqual(own)
})
