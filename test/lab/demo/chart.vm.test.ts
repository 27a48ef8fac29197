import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../../../lab/setup/start-lab.ts'
import { printLine } from '../../../lab/base/progress.ts'
import { attachPort, detachPort } from '../../../lab/demo/port-actions.ts'
import { type Demo, startDemo } from '../../../lab/demo/demo.ts'
import { kubectl } from '../../../lab/demo/kubectl.ts'
import { mgmtNamespace } from '../../../lab/demo/mgmt-from-chart.ts'

/** Both charts in one cluster: mgmt and viola run in pods on the nodes, and reach OpenStack, each other and the API server from there. */

let lab: Lab
let demo: Demo
const node = 'node2'

beforeAll(async () => {
	lab = await startLab()
	demo = await startDemo(lab, 'chart')
})
afterAll(async () => {
	await demo?.stop()
	await lab?.stop()
})

test('mgmt and viola run in a namespace that enforces Pod Security restricted', async () => {
	const level = '{.metadata.labels.pod-security\\.kubernetes\\.io/enforce}'
	expect(await kubectl(lab, lab.biz, ['get', 'namespace', mgmtNamespace, '-o', `jsonpath=${level}`])).toBe('restricted')
	const phases = await kubectl(lab, lab.biz, ['get', 'pods', '-n', mgmtNamespace, '-o', 'jsonpath={.items[*].status.phase}'])
	expect(phases.split(' ')).toEqual(['Running', 'Running', 'Running'])
})

test('a port attached in OpenStack becomes multinic0 on the node, and is removed when it is detached', async () => {
	expect((await attachPort(demo, node, { print: printLine })).expected.name).toBe('multinic0')
	await detachPort(demo, node, 'multinic0', { print: printLine })
})
