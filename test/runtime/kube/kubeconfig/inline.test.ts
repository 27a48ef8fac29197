import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { readInlineKubeconfig } from '../../../../runtime/kube/kubeconfig/inline.ts'

type Parts = { cluster?: object; user?: object; more?: object }

const SECRET = 'tell-no-one'

function kubeconfig({ cluster = {}, user = { token: SECRET }, more = {} }: Parts = {}): string {
	return stringify({
		clusters: [{ name: 'c', cluster: { server: 'https://biz:6443', ...cluster } }],
		users: [{ name: 'u', user }],
		contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
		'current-context': 'x',
		...more,
	})
}

const data = Buffer.from('-----BEGIN').toString('base64')
const unused = (user: object) => ({
	users: [
		{ name: 'u', user: { token: SECRET } },
		{ name: 'other', user },
	],
})

test.each<[sentence: string, parts: Parts]>([
	['a token', {}],
	['a client certificate', { user: { 'client-certificate-data': data, 'client-key-data': data } }],
	['a user name and a password', { user: { username: 'u', password: SECRET } }],
	['a certificate authority', { cluster: { 'certificate-authority-data': data } }],
	['a proxy', { cluster: { 'proxy-url': 'http://proxy:3128' } }],
	['a server name', { cluster: { 'tls-server-name': 'kubernetes' } }],
	['impersonation', { user: { token: SECRET, as: 'viola', 'as-groups': ['g'] } }],
	['empty fields, as client-go writes them', { user: { token: SECRET, tokenFile: '', exec: null, 'client-key': null } }],
])('a kubeconfig is allowed to have %s', (_, parts) => {
	expect(readInlineKubeconfig(kubeconfig(parts))).toMatchObject({ chosen: { cluster: { name: 'c', server: 'https://biz:6443' } } })
})

const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', 'id'], interactiveMode: 'Never' }

test.each<[sentence: string, parts: Parts, fault: string]>([
	['an exec plugin', { user: { exec } }, 'user u: exec is not allowed here, use inline data'],
	['an exec plugin beside a token', { user: { token: SECRET, exec } }, 'user u: exec is not allowed'],
	['an exec plugin of a user that is not selected', { more: unused({ exec }) }, 'user other: exec is not allowed'],
	['an identity provider', { user: { 'auth-provider': { name: 'oidc' } } }, 'user u: auth-provider is not allowed'],
	['a token file', { user: { tokenFile: '/etc/shadow' } }, 'user u: tokenFile is not allowed'],
	['a token file beside a token', { user: { token: SECRET, tokenFile: '/etc/shadow' } }, 'user u: tokenFile is not allowed'],
	['the path of a certificate', { user: { 'client-certificate': '/c', 'client-key': '/k' } }, 'user u: client-certificate is not allowed'],
	['the path of a key', { user: { 'client-certificate-data': data, 'client-key': '/k' } }, 'user u: client-key is not allowed'],
	['the path of an authority', { cluster: { 'certificate-authority': '/c' } }, 'cluster c: certificate-authority is not allowed'],
	['a server without TLS', { cluster: { server: 'http://169.254.169.254' } }, 'cluster c: server must be an https URL'],
	['a server without a scheme', { cluster: { server: 'biz:6443' } }, 'cluster c: server must be an https URL'],
	['no credentials', { user: {} }, 'user u has no token or client certificate'],
	['an invalid proxy', { cluster: { 'proxy-url': 'file:///etc/passwd' } }, 'cluster c: proxy-url must start with'],
	['no current context', { more: { 'current-context': '' } }, 'it has no current-context'],
	['a context without its cluster', { more: { clusters: [] } }, 'it has no cluster c'],
	['data that is not base64', { cluster: { 'certificate-authority-data': SECRET } }, 'must be base64'],
	['fields of another type', { more: { users: SECRET } }, 'users: '],
])('a kubeconfig is refused if it has %s', (_, parts, fault) => {
	const read = readInlineKubeconfig(kubeconfig(parts))
	expect(read).toEqual({ fault: expect.stringContaining(fault) })
	expect(JSON.stringify(read)).not.toContain(SECRET)
})

test.each<[sentence: string, text: string, fault: string]>([
	['an alias bomb', `a: &a [${'x,'.repeat(100)}]\nb: [${'*a,'.repeat(100)}]`, 'it has a YAML anchor'],
	['more than 256 KiB', 'x'.repeat(262_145), 'it has 262145 bytes'],
	['deep lists', '['.repeat(200_000), 'it is nested more than 16 levels deep'],
	['invalid YAML', `a: "${SECRET}`, 'it is not YAML: line 1'],
	['an exec plugin that is merged into the user', kubeconfig({ user: { '<<': { exec } } }), 'user u: exec is not allowed'],
	[
		'a duplicate key that hides an exec plugin',
		'users: [{name: u, user: {exec: null, exec: {command: sh}}}]',
		'user u: exec is not allowed',
	],
	['a long name', kubeconfig({ more: { 'current-context': 'x'.repeat(10_000) } }), 'it has no context xxx'],
	['nothing', '', 'it has no current-context'],
])('a text is refused if it has %s', (_, text, fault) => {
	const read = readInlineKubeconfig(text)
	expect(read).toEqual({ fault: expect.stringContaining(fault) })
	expect(JSON.stringify(read)).not.toContain(SECRET)
	expect(JSON.stringify(read).length).toBeLessThan(400)
})

test('another context may be selected', () => {
	const more = { contexts: [{ name: 'next', context: { cluster: 'c', user: 'u' } }] }
	expect(readInlineKubeconfig(kubeconfig({ more }), 'next')).toMatchObject({ chosen: { user: { name: 'u' } } })
	expect(readInlineKubeconfig(kubeconfig(), 'next')).toEqual({ fault: 'it has no context next' })
})
