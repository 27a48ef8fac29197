import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { ObjectMeta } from '../../runtime/kube/kind.ts'
import { namespace, nodeConfig } from './acts.ts'
import { entry, fieldsAllowed, finalizers, generated, limited, long, many, old, type Old, owner, owners, tiny } from './metadata.ts'
import { LAST_APPLIED, type Limited, limits, refusedField } from './metadata-rule.ts'
import { type Cluster, chart, startCluster, tokenOf } from './release.ts'

/** Tests how much metadata a node config may have. Node configs named old-… were created before the policy. Every attempt is a dry run. */
const policy = 'multinic-controller-metadata'
let cluster: Cluster
let controller: KubeClient

beforeAll(async () => {
	cluster = await startCluster()
	await install()
	await policyHolds(true)
	await run('kubectl', 'delete', 'validatingadmissionpolicybinding', policy)
	await policyHolds(false)
	for (const [name, metadata] of Object.entries(old))
		await cluster.admin.create(NodeConfig, nodeConfig(`old-${name.toLowerCase()}`, metadata))
	for (const [index, metadata] of generated.entries()) await cluster.admin.create(NodeConfig, nodeConfig(`old-${index}`, metadata))
	await install()
	await policyHolds(true)
	controller = cluster.as(await tokenOf(cluster, 'multinic-controller', namespace), 'multinic-controller')
}, 240_000)
afterAll(() => cluster?.stop())

describe('a new node config', () => {
	test.each<[title: string, metadata: Partial<ObjectMeta>]>([
		['32 annotations of 1 KiB', { annotations: many(limits.annotations, 'x'.repeat(limits.annotationBytes)) }],
		['a last-applied-configuration of 64 KiB', { annotations: { [LAST_APPLIED]: 'x'.repeat(limits.lastAppliedBytes) } }],
		['64 labels', { labels: many(limits.labels) }],
		['8 finalizers of other clients', { finalizers: finalizers(limits.finalizers) }],
		['8 finalizers of other clients and that of MultiNIC', { finalizers: [...finalizers(limits.finalizers), FINALIZER] }],
		['8 owner references', { ownerReferences: owners(limits.ownerReferences, { name: 'n'.repeat(limits.ownerBytes) }) }],
		['64 KiB of managed fields', { managedFields: [entry('one', fieldsAllowed)] }],
		[
			'all of these',
			{
				annotations: many(limits.annotations, 'x'.repeat(limits.annotationBytes)),
				labels: many(limits.labels),
				finalizers: finalizers(limits.finalizers),
				ownerReferences: owners(limits.ownerReferences),
			},
		],
	])('may have %s', async (_, metadata) => {
		expect(await created(metadata)).toBe('allowed')
	})

	test.each<[title: string, metadata: Partial<ObjectMeta>, said: string]>([
		[
			'33 annotations',
			{ annotations: many(33) },
			'metadata.annotations: at most 32 annotations are allowed on a node config; remove some (there are 33)',
		],
		['80,000 annotations', { annotations: tiny(80_000) }, 'metadata.annotations: at most 32 annotations are allowed'],
		[
			'an annotation that is one byte too long',
			{ annotations: { note: long } },
			'metadata.annotations[note]: at most 1024 bytes are allowed (65536 for',
		],
		[
			'an annotation with fewer characters but too many bytes',
			{ annotations: { note: 'é'.repeat(513) } },
			'metadata.annotations[note]: at most 1024 bytes',
		],
		[
			'a request annotation of 250 kB',
			{ annotations: { [ANNOTATION_RETRY]: 'x'.repeat(250_000) } },
			'metadata.annotations[multinic.io/retry]: at most',
		],
		['a last-applied-configuration above 64 KiB', { annotations: { [LAST_APPLIED]: 'x'.repeat(65_537) } }, `[${LAST_APPLIED}]: at most`],
		['65 labels', { labels: many(65) }, 'metadata.labels: at most 64 labels are allowed on a node config; remove some (there are 65)'],
		['9 finalizers of other clients', { finalizers: finalizers(9) }, 'metadata.finalizers: at most 8 finalizers of others are allowed'],
		['9 owner references', { ownerReferences: owners(9) }, 'metadata.ownerReferences: at most 8 owner references are allowed'],
		[
			'an owner with a long name',
			{ ownerReferences: owners(1, { name: 'n'.repeat(513) }) },
			'metadata.ownerReferences: at most 512 bytes are allowed',
		],
		[
			'an owner with a long uid',
			{ ownerReferences: owners(1, { uid: 'n'.repeat(513) }) },
			'metadata.ownerReferences: at most 512 bytes are allowed',
		],
		[
			'managed fields above 64 KiB',
			{ managedFields: [entry('one', fieldsAllowed + 1)] },
			'metadata.managedFields: at most 65536 bytes are allowed',
		],
		[
			'1.2 MB of managed fields',
			{ managedFields: [entry('one', 60_000, 'Update')] },
			'metadata.managedFields: at most 65536 bytes are allowed',
		],
	])('may not have %s', async (_, metadata, said) => {
		expect(await created(metadata)).toContain(said)
	})
})

describe('a node config above a limit', () => {
	test.each<[title: string, name: Old, body: object]>([
		['a changed spec', 'annotations', { spec: { paused: true } }],
		['a changed spec', 'long', { spec: { paused: true } }],
		['a changed spec', 'labels', { spec: { paused: true } }],
		['a changed spec', 'owners', { spec: { paused: true } }],
		['a changed spec', 'managed', { spec: { paused: true } }],
		['one annotation fewer', 'annotations', meta({ annotations: { 'example.org/key-0': null } })],
		['another value of an annotation', 'annotations', meta({ annotations: { 'example.org/key-0': 'y' } })],
		['no annotations', 'annotations', meta({ annotations: null })],
		['one of two long annotations fewer', 'long', meta({ annotations: { [ANNOTATION_RETRY]: null } })],
		['a shorter annotation', 'long', meta({ annotations: { [ANNOTATION_RETRY]: 'y'.repeat(249_999) } })],
		['an additional short annotation', 'long', meta({ annotations: { another: 'y' } })],
		['one label fewer', 'labels', meta({ labels: { 'example.org/key-0': null } })],
		['one finalizer fewer', 'finalizers', meta({ finalizers: [...finalizers(8), FINALIZER] })],
		['no finalizers', 'finalizers', meta({ finalizers: null })],
		['one owner fewer', 'owners', meta({ ownerReferences: owners(8, { name: 'n'.repeat(600) }) })],
		['an additional annotation', 'managed', meta({ annotations: { another: 'y' } })],
		['cleared managed fields', 'managed', meta({ managedFields: [{}] })],
	])('may get %s: old-%s', async (_, name, body) => {
		expect(await patched(cluster.admin, name, body)).toBe('allowed')
	})

	test.each<[title: string, name: Old, body: object, said: string]>([
		['an additional annotation', 'annotations', meta({ annotations: { another: 'x' } }), 'metadata.annotations: at most 32'],
		[
			'a long annotation in place of a short one',
			'annotations',
			meta({ annotations: { 'example.org/key-0': long } }),
			'metadata.annotations[example',
		],
		[
			'a longer annotation',
			'long',
			meta({ annotations: { [ANNOTATION_RETRY]: 'x'.repeat(250_001) } }),
			'metadata.annotations[multinic.io/retry]',
		],
		[
			'another long annotation',
			'long',
			meta({ annotations: { another: long, note: null } }),
			'metadata.annotations[another]: at most 1024',
		],
		['an additional label', 'labels', meta({ labels: { another: 'x' } }), 'metadata.labels: at most 64'],
		['an additional finalizer', 'finalizers', meta({ finalizers: [...finalizers(10), FINALIZER] }), 'metadata.finalizers: at most 8'],
		[
			'an additional owner',
			'owners',
			meta({ ownerReferences: owners(10, { name: 'n'.repeat(600) }) }),
			'metadata.ownerReferences: at most 8',
		],
		[
			'another long owner',
			'owners',
			meta({ ownerReferences: [owner(99, { name: 'n'.repeat(600) })] }),
			'metadata.ownerReferences: at most 512',
		],
		['a long list of managed fields', 'managed', meta({ managedFields: [entry('one', 9_000)] }), 'metadata.managedFields: at most 65536'],
	])('may not get %s', async (_, name, body, said) => {
		expect(await patched(cluster.admin, name, body)).toContain(said)
	})

	test('may not get another field manager if its managed fields are near the limit', async () => {
		const said = await patched(cluster.admin, 'full', { spec: { paused: true } })
		expect(said).toContain('clear the list: kubectl patch mnnc old-full -n multinic-system --type=merge')
	})

	test.each<[title: string, name: Old, body: object]>([
		['removes a request annotation', 'annotations', meta({ annotations: { [ANNOTATION_RETRY]: null } })],
		['removes a long request annotation', 'long', meta({ annotations: { [ANNOTATION_RETRY]: null } })],
		['removes a request annotation', 'managed', meta({ annotations: { [ANNOTATION_RETRY]: null } })],
		['adds its finalizer', 'labels', meta({ finalizers: [FINALIZER] })],
		['adds its finalizer', 'full', meta({ finalizers: [FINALIZER] })],
		['adds its finalizer to the maximum of other finalizers', 'held', meta({ finalizers: [...finalizers(limits.finalizers), FINALIZER] })],
		['removes its finalizer', 'finalizers', meta({ finalizers: finalizers(9) })],
	])('allows that the controller %s: old-%s', async (_, name, body) => {
		expect(await patched(controller, name, body)).toBe('allowed')
	})
})

test('a status write does not change metadata', async () => {
	await cluster.admin.create(NodeConfig, nodeConfig('worker-1', { annotations: { note: 'kept' } }))
	const metadata = { annotations: many(40, long), labels: many(70), finalizers: finalizers(9), ownerReferences: owners(9) }
	const fields = { managedFields: [entry('one', 60_000, 'Update')] }
	const body = { metadata: { ...metadata, ...fields }, status: { state: 'Pending' } }
	const { metadata: written } = await controller.patch(NodeConfig, { name: 'worker-1', namespace }, body, { subresource: 'status' })
	expect(written).toMatchObject({ annotations: { note: 'kept' } })
	expect(Object.keys(written)).not.toContain('labels')
	expect(Object.keys(written)).not.toContain('finalizers')
	expect(Object.keys(written)).not.toContain('ownerReferences')
	expect(JSON.stringify(written.managedFields)).not.toContain('f:k000000')
})

test('server-side apply by an increasing number of field managers is denied at the limit', async () => {
	const apply = (at: number) =>
		cluster.admin.apply(NodeConfig, nodeConfig('worker-2'), { fieldManager: `manager-${at}-${'m'.repeat(100)}` })
	const attempts = async () => {
		for (let at = 0; at < 1_000; at++) await apply(at)
	}
	expect(await answer(attempts())).toContain('metadata.managedFields: at most 65536 bytes are allowed')
	const { metadata } = await cluster.admin.get(NodeConfig, { name: 'worker-2', namespace })
	expect(metadata.managedFields?.length).toBeGreaterThan(100)
})

describe('for any existing and new metadata', () => {
	test('a new node config is allowed if and only if the rule allows it', async () => {
		await fc.assert(
			fc.asyncProperty(limited, async metadata => {
				expect(await created(metadata)).toMatch(expected(refusedField(metadata)))
			}),
			{ numRuns: 60, examples: generated.map(one => [one]) },
		)
	})

	test('a change is allowed if and only if the rule allows it', async () => {
		await fc.assert(
			fc.asyncProperty(fc.nat({ max: generated.length - 1 }), limited, fc.boolean(), async (at, next, isMerged) => {
				const before = generated[at] ?? {}
				const after = isMerged ? merged(before, next) : next
				expect(await replaced(`old-${at}`, after)).toMatch(expected(refusedField(after, before)))
			}),
			{ numRuns: 200 },
		)
	})
})

function merged(before: Limited, next: Limited): Limited {
	return { ...before, annotations: { ...before.annotations, ...next.annotations } }
}

function expected(refusal: string | undefined): RegExp {
	return refusal === undefined ? /^allowed$/ : new RegExp(refusal.replaceAll(/[.[\]]/g, '\\$&'))
}

function meta(metadata: object): object {
	return { metadata }
}

function created(metadata: object): Promise<string> {
	return answer(cluster.admin.create(NodeConfig, nodeConfig('new', metadata), { dryRun: true }))
}

function patched(client: KubeClient, name: Old, body: object): Promise<string> {
	return answer(client.patch(NodeConfig, { name: `old-${name}`, namespace }, body, { dryRun: true }))
}

async function replaced(name: string, metadata: Limited): Promise<string> {
	const { resourceVersion } = (await cluster.admin.get(NodeConfig, { name, namespace })).metadata
	return answer(cluster.admin.replace(NodeConfig, nodeConfig(name, { ...metadata, resourceVersion }), { dryRun: true }))
}

async function answer(attempt: Promise<unknown>): Promise<string> {
	try {
		await attempt
		return 'allowed'
	} catch (error) {
		if (isFailure(error, 'FORBIDDEN')) return error.message
		throw error
	}
}

/** A policy takes effect, and ceases to have effect, a moment after it is written. */
async function policyHolds(does: boolean): Promise<void> {
	const attempt = async () => expect((await created(old.annotations)) === 'allowed').toBe(!does)
	await vi.waitFor(attempt, { timeout: 120_000, interval: 200 })
}

function install(): Promise<void> {
	return run('helm', 'upgrade', '--install', 'multinic', chart, '-n', namespace, '--create-namespace')
}

async function run(program: 'helm' | 'kubectl', ...args: string[]): Promise<void> {
	const { all, exitCode } = await (program === 'helm' ? cluster.helm(...args) : cluster.kubectl(args))
	expect(exitCode, all).toBe(0)
}
