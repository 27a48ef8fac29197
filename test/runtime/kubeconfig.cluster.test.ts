import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findKit } from '../../lab/kit/kit.ts'
import { type Call, cases, environmentOf } from './kubeconfig/cases.ts'
import { kubeconfigFolder } from './kubeconfig/folder.ts'
import { type Recorder, type Seen, startRecorder } from './kubeconfig/recorder.ts'

/** Verifies that the real kubectl behaves as in the table of `kubeconfig.test.ts`. */

let kubectl: string
let recorder: Recorder
let folder: Awaited<ReturnType<typeof kubeconfigFolder>>

beforeAll(async () => {
	kubectl = (await findKit(['kubectl'])).kubectl
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
	const flags = [
		...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig && join(folder.path, kubeconfig)}`]),
		...(context === undefined ? [] : [`--context=${context}`]),
	]
	recorder.seen.length = 0
	const env = environmentOf(call, folder.path, recorder.places.proxy)
	const how = { env, extendEnv: false, reject: false, stdin: 'ignore', cwd: folder.path } as const
	const { exitCode } = await execa(kubectl, ['get', '--raw', '/version', ...flags], how)
	return exitCode === 0 ? (recorder.seen[0] ?? 'refused') : 'refused'
}
