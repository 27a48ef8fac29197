import { expect, test } from 'vitest'
import type { Secret, Stored } from '../../../runtime/kube/index.ts'
import { keepValid, readSecret, type SecretTarget } from '../../../viola/targets/secret.ts'
import { base64, kubeconfigOf } from './kubeconfig.ts'

const TOKEN = 'tell-no-one'
const valid = base64(kubeconfigOf({ token: TOKEN }))

type Parts = { labels?: Record<string, string>; annotations?: Record<string, string>; uid?: string }

function secret(data: Record<string, string>, { uid = 'u1', ...metadata }: Parts = {}): Stored<Secret> {
	const times = { uid, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' }
	const named = { name: 's', namespace: 'viola', labels: { 'multinic.io/provider-id': 'biz' }, ...metadata }
	return { apiVersion: 'v1', kind: 'Secret', data, metadata: { ...named, ...times } }
}

test.each(['kubeconfig', 'value'])('a Secret with the key %s is a target', key => {
	expect(readSecret(secret({ [key]: valid, other: 'eA==' }))).toMatchObject({
		target: {
			providerId: 'biz',
			namespace: 'multinic-system',
			source: 'Secret viola/s',
			access: { from: 'inline', kubeconfig: { user: { token: TOKEN } } },
		},
		name: 's',
		createdAt: '2026-01-01T00:00:00Z',
	})
})

test('annotations select the namespace and the context', () => {
	const annotations = { 'multinic.io/namespace': 'nics', 'multinic.io/context': 'other' }
	const { target } = readSecret(secret({ value: valid }, { annotations }))
	expect(target).toMatchObject({ namespace: 'nics', access: { kubeconfig: { namespace: 'inside' } } })
})

const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', interactiveMode: 'Never' }

test.each<[sentence: string, data: Record<string, string>, parts: Parts, fault: string]>([
	['no key', {}, {}, 'it has neither key kubeconfig nor value'],
	['both keys', { kubeconfig: valid, value: valid }, {}, 'it has both keys kubeconfig and value'],
	['an empty provider id', { value: valid }, { labels: { 'multinic.io/provider-id': '' } }, 'label multinic.io/provider-id is empty'],
	['an invalid namespace', { value: valid }, { annotations: { 'multinic.io/namespace': '../x' } }, 'annotation multinic.io/namespace must'],
	['an unknown context', { value: valid }, { annotations: { 'multinic.io/context': 'none' } }, 'key value: it has no context none'],
	['an exec plugin', { value: base64(kubeconfigOf({ exec })) }, {}, 'key value: user u: exec is not allowed here'],
	[
		'a token file',
		{ kubeconfig: base64(kubeconfigOf({ tokenFile: '/etc/shadow' })) },
		{},
		'key kubeconfig: user u: tokenFile is not allowed',
	],
	['an alias bomb', { value: base64(`a: &a [x]\nb: [*a]\n# ${TOKEN}`) }, {}, 'key value: it has a YAML anchor'],
	['bytes that are not text', { value: Buffer.from([0xff, 0, 0xfe]).toString('base64') }, {}, 'key value: '],
])('a Secret with %s has a fault and no access', (_, data, parts, fault) => {
	const read = readSecret(secret(data, parts))
	expect(read.fault).toContain(fault)
	expect(read.target.access).toEqual({ from: 'nowhere', fault: read.fault })
	expect(JSON.stringify(read)).not.toContain(TOKEN)
})

const read = (token: string, server = 'https://biz:6443', parts: Parts = {}) =>
	readSecret(secret({ value: base64(kubeconfigOf({ token }, { server })) }, parts)).target

test.each<[sentence: string, other: ReturnType<typeof read>, isSamePlace: boolean, isSameVersion: boolean]>([
	['the same kubeconfig is the same version', read('a'), true, true],
	[
		'a label of others does not change the version',
		read('a', 'https://biz:6443', { labels: { 'multinic.io/provider-id': 'biz', x: 'y' } }),
		true,
		true,
	],
	['another token is another version of the same place', read('b'), true, false],
	['another server is another place', read('a', 'https://other:6443'), false, false],
	['another namespace is another place', read('a', 'https://biz:6443', { annotations: { 'multinic.io/namespace': 'n' } }), false, false],
])('%s', (_, other, isSamePlace, isSameVersion) => {
	expect([other.place === read('a').place, other.version === read('a').version]).toEqual([isSamePlace, isSameVersion])
})

const good = readSecret(secret({ value: valid }))
const bad = readSecret(secret({}))

test.each<[sentence: string, now: SecretTarget, before: SecretTarget | undefined, kept: SecretTarget['target']]>([
	['a valid version is used', good, bad, good.target],
	['the last valid version stays in use', bad, good, good.target],
	['it stays in use while further versions are invalid', bad, keepValid(bad, good), good.target],
	['an invalid Secret that was never valid has no access', bad, undefined, bad.target],
	['a Secret that was created again is another one', readSecret(secret({}, { uid: 'u2' })), good, bad.target],
])('%s', (_, now, before, kept) => {
	expect(keepValid(now, before).target).toEqual(kept)
})

test('a provider id that is taken from a Secret is not kept', () => {
	const moved = readSecret(secret({}, { labels: { 'multinic.io/provider-id': 'other' } }))
	expect(keepValid(moved, good).target).toEqual(moved.target)
})

test('the fault of an invalid version says that the last valid one is used', () => {
	expect(keepValid(bad, good).fault).toBe('it has neither key kubeconfig nor value; its last valid version stays in use')
	expect(keepValid(bad, keepValid(bad, good)).fault).toBe(keepValid(bad, good).fault)
})
