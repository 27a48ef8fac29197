import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadAsKubectl } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { type Call, cases, environmentOf } from './kubeconfig/cases.ts'
import { kubeconfigFolder } from './kubeconfig/folder.ts'
import { type Recorder, type Seen, startRecorder } from './kubeconfig/recorder.ts'

/** Tests which server and user a kubeconfig selects; `kubeconfig.cluster.test.ts` verifies kubectl against the same table. */

let recorder: Recorder
let folder: Awaited<ReturnType<typeof kubeconfigFolder>>

beforeAll(async () => {
	recorder = await startRecorder()
	folder = await kubeconfigFolder(recorder)
})
afterAll(async () => {
	await folder?.remove()
	await recorder?.stop()
})

test.each(cases)('%s', async (_, call, sees) => {
	expect(await seenOf(call)).toEqual(sees)
})

async function seenOf(call: Call): Promise<Seen | 'refused'> {
	const { kubeconfig, context } = call
	const wanted = {
		...(kubeconfig !== undefined && { kubeconfig: kubeconfig && join(folder.path, kubeconfig) }),
		...(context !== undefined && { context }),
	}
	recorder.seen.length = 0
	try {
		const credentials = await loadAsKubectl(wanted, environmentOf(call, folder.path, recorder.places.proxy))
		const client = new KubeClient(credentials, { fieldManager: 'test', retryForMs: 0 })
		await client.raw({ method: 'GET', path: '/version' }).finally(() => client.close())
	} catch (error) {
		expect(error).toMatchObject({ name: 'Failure', code: expect.stringMatching(/^(CONFIG_INVALID|SIGN_IN_FAILED|UNREACHABLE)$/) })
		expect(String(error)).not.toMatch(/secret|older|1234567890/)
		return 'refused'
	}
	return recorder.seen[0] ?? 'refused'
}
