import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAccess } from '../../../runtime/auth/config.ts'

let folder: string
const file = (name: string, content: string) => {
	writeFileSync(join(folder, name), content)
	return join(folder, name)
}
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'multinic-access-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const client = (name: string) => `- { name: ${name}, sha256: ${'a'.repeat(64)}, may: read, providers: [biz] }\n`

test('each way to authenticate is read', () => {
	const { auth, tls } = readAccess('VIOLA', { VIOLA_TOKEN_FILE: file('token', 'secret\n'), VIOLA_CLIENTS: file('clients', client('a')) })
	if (auth.isOff) throw new Error('authentication is off')
	expect([auth.token?.(), auth.clients?.first[0]?.name, auth.usesKubernetes, tls]).toEqual(['secret', 'a', false, undefined])
	expect(readAccess('VIOLA', { VIOLA_KUBE_AUTH: 'true' }).auth).toMatchObject({ isOff: false, usesKubernetes: true })
	expect(readAccess('INVENTORY', { INVENTORY_AUTH: 'none', VIOLA_TOKEN: 'x' }).auth).toEqual({ isOff: true })
})

test.each<[sentence: string, env: () => Record<string, string>, words: RegExp]>([
	['no way to authenticate', () => ({}), /^V_TOKEN, V_TOKEN_FILE, V_CLIENTS or V_KUBE_AUTH=true is required/],
	['only Kubernetes, switched off', () => ({ V_KUBE_AUTH: 'false' }), /is required/],
	['"None" instead of "none"', () => ({ V_AUTH: 'None' }), /V_AUTH: must be "none"/],
	['"none" and a token', () => ({ V_AUTH: 'none', V_TOKEN: 'x' }), /^V_AUTH=none excludes V_TOKEN/],
	['an empty token file', () => ({ V_TOKEN_FILE: file('t', '\n') }), /V_TOKEN_FILE.*is empty/],
	['an invalid clients file', () => ({ V_CLIENTS: file('c', client('a b')) }), /^V_CLIENTS: .*\/c: \[0\]\.name: must be/],
	['a directory without a certificate', () => ({ V_TOKEN: 'x', V_TLS_DIR: folder }), /^V_TLS_DIR: ENOENT.*tls\.crt/],
	[
		'several faults',
		() => ({ V_AUTH: 'off', V_CLIENTS: '/nowhere', V_KUBE_AUTH: 'x', V_TLS_DIR: '/nowhere' }),
		/V_AUTH: .*\nV_CLIENTS: .*\nV_KUBE_AUTH: .*\nV_TLS_DIR: /,
	],
])('with %s, the faults are reported together', (_, env, words) => {
	expect(() => readAccess('V', env())).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) }))
})
