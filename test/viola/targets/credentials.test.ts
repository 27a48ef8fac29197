import { expect, test } from 'vitest'
import { credentialsOf } from '../../../viola/targets/credentials.ts'
import { target } from './targets.ts'

test('a source that is invalid is named with its fault', async () => {
	const invalid = target('biz', { source: 'Secret viola/s', access: { from: 'nowhere', fault: 'user u: exec is not allowed here' } })
	await expect(credentialsOf(invalid, {})).rejects.toMatchObject({
		code: 'CONFIG_INVALID',
		message: 'Secret viola/s: user u: exec is not allowed here',
	})
})

test('a kubeconfig that cannot be read is named', async () => {
	const missing = target('biz', { access: { from: 'file', kubeconfig: '/nowhere/kubeconfig' } })
	await expect(credentialsOf(missing, {})).rejects.toMatchObject({ message: expect.stringContaining('/nowhere/kubeconfig cannot be read') })
})
