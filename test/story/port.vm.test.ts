import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../../lab/lab.ts'
import { until } from '../../lab/process.ts'
import { say } from '../../lab/progress.ts'
import { namespace } from '../../lab/story/cloud.ts'
import { type Attached, attachPort, rebootAndLook } from '../../lab/story/port.ts'
import { whatIsWrong } from '../../lab/story/reality.ts'
import { type Stage, setStage } from '../../lab/story/stage.ts'
import { NodeConfigKind } from '../../viola/cluster.ts'

/**
 * The whole story on real parts: helm, kube-apiserver, kubelet, containerd, systemd, netplan, udev and a kernel on each node; mgmt and viola
 * as processes of these sources. OpenStack is the lab's own server, which speaks the recorded shapes. Each test goes on where the last ended.
 */

let lab: Lab
let stage: Stage
let first: Attached
const node = 'node2'
const tell = say

beforeAll(async () => {
	lab = await startLab()
	stage = await setStage(lab)
})
afterAll(async () => {
	await stage?.stop()
	await lab?.stop()
})

const kubectl = async (...args: string[]) =>
	(await execa(`${lab.bin}/kubectl`, ['-n', namespace, ...args], { env: { KUBECONFIG: lab.biz.kubeconfig } })).stdout

test('a port attached in OpenStack becomes multinic0 of the node', async () => {
	first = await attachPort(stage, node, { tell })
	expect(first.wanted.name).toBe('multinic0')
})

test('kubectl get mnnc shows it', async () => {
	const [header = '', row = ''] = (await kubectl('get', 'mnnc')).split('\n')
	expect(header.split(/\s{2,}/)).toEqual(['NAME', 'NODE', 'STATE', 'INTERFACES', 'REASON', 'AGE'])
	expect(row.split(/\s{2,}/).slice(0, 5)).toEqual([node, node, 'Configured', '1/1', 'AllInterfacesConfigured'])
})

test('kubectl logs tells the run in lines a person can read', async () => {
	const job = await kubectl('get', 'mnnc', node, '-o', 'jsonpath={.status.lastJobName}')
	const lines = (await kubectl('logs', `job/${job}`)).split('\n')
	expect(lines[0]).toContain(`${node}, generation`)
	expect(lines.some(line => line.startsWith('multinic0') && line.includes(first.port.mac))).toBe(true)
	expect(lines.at(-1)).toContain('Configured 1/1')
})

test('after a reboot of the node it still is so', async () => {
	await rebootAndLook(stage, first)
	expect((await kubectl('get', 'mnnc', node, '-o', 'jsonpath={.status.state}')).trim()).toBe('Configured')
})

test('a second port becomes multinic1, and the first keeps its name', async () => {
	const second = await attachPort(stage, node, { tell })
	expect(second.wanted.name).toBe('multinic1')
	expect(await whatIsWrong(lab.node(node), first.wanted)).toEqual([])
})

test('a port that is detached takes its NIC away, and the other stays what it was', async () => {
	stage.cloud.openstack.detach(first.port.id)
	await until(
		'the node config without the port is Configured',
		async () => {
			const { metadata, spec, status } = await stage.client.get(NodeConfigKind, { namespace, name: node })
			const gone = !spec.interfaces.some(({ macAddress }) => macAddress === first.port.mac)
			return gone && status?.observedGeneration === metadata.generation && status?.state === 'Configured'
		},
		{ withinMs: 120_000, everyMs: 500 },
	)
	const links = await lab.node(node).ask('ip -br link')
	expect(links).not.toContain('multinic0')
	expect(links).toContain('multinic1')
})

test('a node config whose node does not exist waits, and says so', async () => {
	const spec = { nodeName: 'nobody', interfaces: [] }
	await stage.client.create(NodeConfigKind, { metadata: { name: 'nobody', namespace }, spec })
	await until(
		'the status of nobody says NodeNotFound',
		async () => {
			const { status } = await stage.client.get(NodeConfigKind, { namespace, name: 'nobody' })
			return status?.state === 'Pending' && status.conditions?.some(({ reason }) => reason === 'NodeNotFound') === true
		},
		{ withinMs: 30_000, everyMs: 250 },
	)
})
