import { describe, expect, test } from 'vitest'
import { ANNOTATION_OWNER, LABEL_INSTANCE_ID, LABEL_NODE_NAME } from '../../../contract/names.ts'
import { decide } from '../../../viola/apply/decide.ts'
import type { Entry } from '../../../viola/model/entry.ts'
import { ownerText } from '../../../viola/model/owner.ts'
import { project } from '../../../viola/model/project.ts'
import type { Wanted } from '../../../viola/model/wanted.ts'
import { nic, owner, stored, wanted } from '../nodes.ts'

const other = { ...owner, name: 'other' }
const annotated = (text: string) => project(stored({}, { annotations: { [ANNOTATION_OWNER]: text } }))
const kept = project(stored())

test.each<[sentence: string, entry: Entry | undefined, wanted: Wanted, act: string]>([
	['a node without a node config gets one', undefined, wanted(), 'create'],
	['an equal node config is not written', kept, wanted(), 'unchanged'],
	[
		'labels of other clients are ignored',
		project(stored({}, { labels: { ...stored().metadata.labels, team: 'a' } })),
		wanted(),
		'unchanged',
	],
	['paused and mode are ignored', project(stored({}, {}, { paused: true, mode: 'Plan' })), wanted(), 'unchanged'],
	[
		'another order of interfaces is no change',
		project(stored({ interfaces: [nic, { ...nic, id: 1, macAddress: 'fa:16:3e:37:c3:f2' }] })),
		wanted({ interfaces: [{ ...nic, id: 1, macAddress: 'fa:16:3e:37:c3:f2' }, nic] }),
		'unchanged',
	],
	['other interfaces are a change, even with the same hash', project(stored({}, {}, { interfaces: [] })), wanted(), 'patch'],
	['a missing hash is a change', project(stored({}, {}, { specHash: undefined })), wanted(), 'patch'],
	['another VM is a change', kept, wanted({ instanceId: 'vm-2' }), 'patch'],
	['a removed label is a change', project(stored({}, { labels: {} })), wanted(), 'patch'],
	[
		'a label that must not be set is a change',
		project(
			stored(
				{ instanceId: undefined },
				{ labels: { ...wanted({ instanceId: undefined }).object.metadata.labels, [LABEL_INSTANCE_ID]: 'old' } },
			),
		),
		wanted({ instanceId: undefined }),
		'patch',
	],
	[
		'a node config that is being deleted is not written, even if it is equal',
		project(stored({}, { deletionTimestamp: '2026-01-01T12:00:00Z' })),
		wanted(),
		'terminating',
	],
	['an equal owner is no change', annotated(ownerText(owner)), wanted({ owner }), 'unchanged'],
	[
		'the keys of the owner may have any order',
		annotated(JSON.stringify({ uid: owner.uid, name: owner.name, namespace: owner.namespace })),
		wanted({ owner }),
		'unchanged',
	],
	['a POST without an owner leaves the owner', annotated(ownerText(owner)), wanted(), 'unchanged'],
	['a missing owner is written alone', kept, wanted({ owner }), 'patchOwner'],
	['another owner is written alone', annotated(ownerText(other)), wanted({ owner }), 'patchOwner'],
	['an owner that cannot be read is replaced', annotated('me'), wanted({ owner }), 'patchOwner'],
	['other interfaces and another owner are one change', annotated(ownerText(other)), wanted({ owner, interfaces: [] }), 'patch'],
])('%s', (_, entry, node, act) => {
	expect(decide(entry, node).act).toBe(act)
})

describe('a change', () => {
	const changeOf = (entry: Entry, node: Wanted) => {
		const decision = decide(entry, node)
		if (!('change' in decision)) throw new Error(`nothing to change: ${decision.act}`)
		return decision.change
	}

	test('is bound to the version on which it was decided, and has neither finalizers nor fields of users', () => {
		const change = changeOf(kept, wanted({ interfaces: [] }))
		expect(change).toMatchObject({ metadata: { resourceVersion: '7' }, spec: { interfaces: [] } })
		expect(JSON.stringify(change)).not.toMatch(/finalizers|paused|mode|status|annotations/)
	})

	test('removes the label and the id of a VM that is no longer known, and a label that would be too long', () => {
		const nodeName = `${'a'.repeat(60)}.example.com`
		const change = changeOf(project(stored()), wanted({ nodeName, instanceId: undefined }))
		expect(change).toMatchObject({
			metadata: { labels: { [LABEL_INSTANCE_ID]: null, [LABEL_NODE_NAME]: null } },
			spec: { instanceId: null, nodeName },
		})
	})

	test('of the owner alone contains nothing else', () => {
		expect(changeOf(kept, wanted({ owner }))).toEqual({
			metadata: { resourceVersion: '7', annotations: { [ANNOTATION_OWNER]: ownerText(owner) } },
		})
	})
})
