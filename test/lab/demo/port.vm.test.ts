import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../../../lab/setup/start-lab.ts'
import { until } from '../../../lab/base/daemon.ts'
import { printLine } from '../../../lab/base/progress.ts'
import { dataNetwork, namespace } from '../../../lab/demo/cloud.ts'
import { startControlSocket } from '../../../lab/demo/control-socket.ts'
import { type Attached, attachPort, rebootAndCheck } from '../../../lab/demo/port-actions.ts'
import { findNodeFaults } from '../../../lab/demo/node-faults.ts'
import { type Demo, startDemo } from '../../../lab/demo/demo.ts'
import { expectedNics } from '../../../lab/demo/expected-nics.ts'
import { NodeConfigKind } from '../../../viola/model/node-config-kind.ts'

/**
 * The whole demo on real components: helm, kube-apiserver, kubelet, containerd, systemd, netplan, udev and a kernel on each node; mgmt and
 * viola run as processes of these sources. OpenStack is the lab's simulated server, which answers in the recorded formats. Each test
 * continues from the state that the previous one left.
 */

let lab: Lab
let demo: Demo
let first: Attached
const node = 'node2'
let labCommand: string

beforeAll(async () => {
	lab = await startLab()
	demo = await startDemo(lab)
	labCommand = join(await startControlSocket(demo), 'lab')
})
afterAll(async () => {
	await demo?.stop()
	await lab?.stop()
})

const kubectl = async (...args: string[]) =>
	(await execa(`${lab.bin}/kubectl`, ['-n', namespace, ...args], { env: { KUBECONFIG: lab.biz.kubeconfig } })).stdout

const statusOf = async (name: string) => (await demo.client.get(NodeConfigKind, { namespace, name })).status
const reasonOf = async (name: string) => (await statusOf(name))?.conditions?.find(({ type }) => type === 'Ready')?.reason
const faults = async () => findNodeFaults(lab.node(node), await expectedNics(demo, node))
const multinic = (...args: string[]) =>
	execa(process.execPath, ['cli/main.ts', ...args], { env: { KUBECONFIG: lab.biz.kubeconfig }, reject: false })
const patience = { withinMs: 240_000, everyMs: 500 }

test('a port attached in OpenStack becomes multinic0 on the node', async () => {
	first = await attachPort(demo, node, { print: printLine })
	expect(first.expected.name).toBe('multinic0')
})

test('kubectl get mnnc shows the node and its interface', async () => {
	const [header = '', row = ''] = (await kubectl('get', 'mnnc')).split('\n')
	expect(header.split(/\s{2,}/)).toEqual(['NAME', 'NODE', 'STATE', 'INTERFACES', 'REASON', 'AGE'])
	expect(row.split(/\s{2,}/).slice(0, 5)).toEqual([node, node, 'Configured', '1/1', 'AllInterfacesConfigured'])
})

test('kubectl logs shows the run in human-readable lines', async () => {
	const job = await kubectl('get', 'mnnc', node, '-o', 'jsonpath={.status.lastJobName}')
	const lines = (await kubectl('logs', `job/${job}`)).split('\n')
	expect(lines[0]).toContain(`${node}, generation`)
	expect(lines.some(line => line.startsWith('multinic0') && line.includes(first.port.mac))).toBe(true)
	expect(lines.at(-1)).toContain('Configured 1/1')
})

test('the NIC is still configured after a reboot of the node', async () => {
	expect(await rebootAndCheck(demo, node)).toEqual(['multinic0'])
	expect((await kubectl('get', 'mnnc', node, '-o', 'jsonpath={.status.state}')).trim()).toBe('Configured')
})

test('the controller detects the boot, verifies the node and records the boot ID', async () => {
	const boot = (await lab.node(node).ask('cat /proc/sys/kernel/random/boot_id')).trim()
	await until('the status contains the ID of this boot', async () => (await statusOf(node))?.bootID === boot, patience)
	const looks = await kubectl('get', 'configmap', '-l', `multinic.io/node-name=${node},multinic.io/mode=Verify`, '-o', 'name')
	expect(looks).not.toBe('')
	expect(await statusOf(node)).toMatchObject({ state: 'Configured', interfaces: '1/1' })
})

test('a manual change is found by a verification, repaired and reported', async () => {
	await lab.node(node).ask('ip link set multinic0 mtu 1300')
	const { stdout, exitCode } = await multinic('diff', node)
	expect(stdout).toMatch(/^-mtu 1450\n\+mtu 1300$/m)
	expect(exitCode).toBe(1)
	await until('multinic0 is configured again', async () => (await faults()).length === 0, patience)
	await until('the history contains the repair', async () => (await statusOf(node))?.history?.[0]?.cause === 'Drifted', patience)
	expect(await kubectl('get', 'events', '--field-selector', `involvedObject.name=${node}`, '-o', 'jsonpath={.items[*].reason}')).toContain(
		'Drifted',
	)
	expect((await multinic('diff', node)).exitCode).toBe(0)
	expect((await multinic('logs', node)).stdout).toContain('multinic0')
})

test('from another terminal, `lab attach` adds a second port as multinic1, and multinic0 keeps its name', async () => {
	const { stdout } = await execa(labCommand, ['attach', node])
	expect(stdout).toContain(`multinic1 of ${node} is correct`)
	expect(await expectedNics(demo, node)).toContainEqual(first.expected)
})

test('`lab detach` removes one NIC, and the other NIC stays unchanged', async () => {
	const { stdout } = await execa(labCommand, ['detach', node, 'multinic0'])
	expect(stdout).toContain(`multinic0 of ${node} is removed`)
	expect((await expectedNics(demo, node)).map(({ name }) => name)).toEqual(['multinic1'])
})

test.each([
	['a NIC that does not exist', ['detach', node, 'multinic7'], `${node} has no NIC multinic7; it has multinic1`],
	['a node that does not exist', ['attach', 'node9'], 'there is no server node9; there are: node1, node2'],
	['a command that fails on the node', ['run', node, 'exit 3'], `${node}: exit code 3`],
])('`lab` reports %s, and exits with 1', async (_, args, words) => {
	const { exitCode, stderr } = await execa(labCommand, args, { reject: false })
	expect(stderr).toContain(words)
	expect(exitCode).toBe(1)
})

test('a node that is switched off does not block other nodes, and gets its port when it is switched on', async () => {
	await lab.node(node).powerOff()
	const silent = async () =>
		(await kubectl('get', 'node', node, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'Unknown'
	await until(`${node} is no longer Ready`, silent, patience)
	const { mac } = demo.cloud.openstack.attach({ server: node, network: dataNetwork.name })
	await lab.node(node).attachPort({ mac, network: dataNetwork.name })
	await until('the status has reason NodeNotReady', async () => (await reasonOf(node)) === 'NodeNotReady', patience)
	expect((await attachPort(demo, 'node1', { print: printLine })).expected.name).toBe('multinic0')
	await lab.node(node).powerOn()
	await until('both its NICs are configured', async () => (await statusOf(node))?.state === 'Configured', patience)
	expect(await statusOf(node)).toMatchObject({ interfaces: '2/2' })
	expect(await faults()).toEqual([])
})

test('a node config whose node does not exist is Pending with reason NodeNotFound', async () => {
	const spec = { nodeName: 'nobody', interfaces: [] }
	await demo.client.create(NodeConfigKind, { metadata: { name: 'nobody', namespace }, spec })
	await until(
		'the status of nobody has reason NodeNotFound',
		async () => {
			const { status } = await demo.client.get(NodeConfigKind, { namespace, name: 'nobody' })
			return status?.state === 'Pending' && status.conditions?.some(({ reason }) => reason === 'NodeNotFound') === true
		},
		{ withinMs: 30_000, everyMs: 250 },
	)
})
