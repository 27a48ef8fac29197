import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lab, startLab } from '../../lab/setup/start-lab.ts'
import type { LabNode } from '../../lab/namespace/lab-node.ts'
import { until } from '../../lab/base/daemon.ts'
import { namespace } from '../../lab/demo/cloud.ts'
import { installChart, loadProduct } from '../../lab/demo/install.ts'

/** The chart with `agent.privileged: false`: containerd and runc confine the agent, and it still does its work on a real host. */
let lab: Lab
let node: LabNode
const macs = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02']

beforeAll(async () => {
	lab = await startLab({ nodes: 1 })
	node = lab.node('node1')
	await loadProduct(lab)
	await installChart(lab, 'node1', ['--set', 'agent.privileged=false'])
})
afterAll(() => lab?.stop())

test('two NICs are configured persistently', async () => {
	for (const [id, mac] of macs.entries()) await node.attachPort({ mac, network: `data${id}`, gateways: [`10.9.${id}.1/24`] })
	await apply(
		macs.map((macAddress, id) => ({ id, macAddress, address: `10.9.${id}.23`, cidr: `10.9.${id}.0/24`, gateway: `10.9.${id}.1` })),
	)
	await settled(1)
	expect(await status('{.interfaces} {.conditions[?(@.type=="Persistent")].status}')).toBe('2/2 True')
	expect(await node.ask('ip -br -4 addr show multinic1')).toContain('10.9.1.23/24')
})

test('the agent runs in a container that has only four capabilities', async () => {
	const context = await kubectl(
		'get',
		'pods',
		'-l',
		'app.kubernetes.io/name=multinic-run',
		'-o',
		'jsonpath={.items[0].spec.containers[0].securityContext}',
	)
	expect(JSON.parse(context)).toMatchObject({ privileged: false, capabilities: { drop: ['ALL'], add: expect.any(Array) } })
	const log = await kubectl('logs', '-l', 'app.kubernetes.io/name=multinic-run', '--tail=-1')
	expect(log).toMatch(/^armed +the host rolls back at /m)
})

test('both NICs are configured after a reboot, and a second run finds nothing to do', async () => {
	await node.reboot()
	expect(await node.ask('udevadm settle; ip -br -4 addr show multinic0')).toContain('10.9.0.23/24')
	await kubectl('annotate', 'mnnc', 'node1', 'multinic.io/retry=again')
	// a separate run may have verified the boot: the removed request shows that the run of this request has started
	const asked = () => kubectl('get', 'mnnc', 'node1', '-o', 'jsonpath={.metadata.annotations.multinic\\.io/retry}')
	await until('a second run', async () => (await asked()) === '', { withinMs: 300_000, everyMs: 500 })
	await settled(1)
	expect(await status('{.interfaceStatuses[*].reason}')).toBe('AlreadyConfigured AlreadyConfigured')
})

test('a removed NIC leaves the other unchanged; deleting the node config restores the host', async () => {
	await apply([{ id: 0, macAddress: macs[0], address: '10.9.0.23', cidr: '10.9.0.0/24', gateway: '10.9.0.1' }])
	await settled(2)
	expect(await node.ask('ip -br link')).toMatch(/multinic0 /)
	expect(await node.ask('ip -br link')).not.toMatch(/multinic1 /)
	await kubectl('delete', 'mnnc', 'node1', '--timeout=120s')
	expect(await node.ask('ip -br link; ls /etc/netplan /etc/sysctl.d /etc/systemd/system /var/lib/multinic')).not.toMatch(/multinic\d/)
})

async function kubectl(...args: string[]): Promise<string> {
	return (await execa(`${lab.bin}/kubectl`, ['-n', namespace, ...args], { env: { KUBECONFIG: lab.biz.kubeconfig } })).stdout
}

/** @param path JSONPath below the status */
async function status(path: string): Promise<string> {
	return (await kubectl('get', 'mnnc', 'node1', '-o', `jsonpath=${path.replaceAll('{.', '{.status.')}`)).trim()
}

async function apply(interfaces: readonly object[]): Promise<void> {
	const object = {
		apiVersion: 'multinic.io/v1',
		kind: 'MultiNicNodeConfig',
		metadata: { name: 'node1', namespace },
		spec: { nodeName: 'node1', interfaces },
	}
	const env = { KUBECONFIG: lab.biz.kubeconfig }
	await execa(`${lab.bin}/kubectl`, ['apply', '-f', '-'], { env, input: JSON.stringify(object) })
}

async function settled(generation: number): Promise<void> {
	const isSettled = async () =>
		/^(\d+) (Configured|Failed)$/.exec(await status('{.observedGeneration} {.state}'))?.[1] === String(generation)
	await until(`generation ${generation} is settled`, isSettled, { withinMs: 120_000, everyMs: 500 })
	expect(await status('{.state} {.conditions[?(@.type=="Ready")].message}')).toMatch(/^Configured /)
}
