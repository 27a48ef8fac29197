import { expect, test } from 'vitest'
import { configView, MANAGER } from '../../controller/view.ts'
import { reportedStatus } from '../../controller/status.ts'
import { report, run, spec, world } from './world.ts'

const status = reportedStatus(world(), run({ report: report() }))
const written = (manager: string, subresource?: string) => ({ manager, operation: 'Update', ...(subresource && { subresource }) })

test.each<[title: string, managedFields: ReturnType<typeof written>[] | undefined, counts: boolean]>([
	['that we wrote counts', [written('viola'), written(MANAGER, 'status')], true],
	['counts where the API server does not say who wrote what', undefined, true],
	['of an object of which others wrote the spec alone counts', [written('viola')], true],
	['that was restored from a backup counts for nothing', [written('velero-server'), written('velero-server', 'status')], false],
	['that we wrote over a restored one counts', [written('velero-server', 'status'), written(MANAGER, 'status')], true],
])('a status %s', (_, managedFields, counts) => {
	const metadata = { name: 'worker-1', uid: 'uid-1', resourceVersion: '1', creationTimestamp: '2026-01-01T12:00:00Z' }
	const object = { apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig', spec, status: status as never }
	const view = configView({ ...object, metadata: { ...metadata, ...(managedFields && { managedFields }) } })
	expect(view.status.state).toBe(counts ? 'Configured' : undefined)
	expect(view.rawStatus).toEqual(status)
})
