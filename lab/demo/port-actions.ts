import { Writable } from 'node:stream'
import { createLog } from '../../runtime/log.ts'
import type { Port } from '../openstack/cloud.ts'
import { seconds, step } from '../base/progress.ts'
import { dataNetwork, namespace, withPrefix } from './cloud.ts'
import { type Follow, followPort, type MilestoneTimes } from './follow-port.ts'
import { type ExpectedNic, findNodeFaults } from './node-faults.ts'
import type { Demo } from './demo.ts'
import { expectedNics } from './expected-nics.ts'

/** Prints one line about the progress of an action. */
export type Print = (line: string) => void

/** A port that has become a NIC. */
export interface Attached {
	readonly node: string
	readonly port: Port
	readonly expected: ExpectedNic
	readonly times: MilestoneTimes
}

/** Where the progress of an action is reported. */
export interface ActionOptions {
	print: Print
}

const patienceMs = 180_000

/**
 * Attaches a port of the data network to a node's VM, concurrently in OpenStack and on the machine, and waits until the node config is
 * `Configured`. Then checks the node itself, and throws if it finds a fault.
 */
export async function attachPort(demo: Demo, node: string, options: ActionOptions): Promise<Attached> {
	const { lab, cloud } = demo
	const port = cloud.openstack.attach({ server: node, network: dataNetwork.name })
	options.print(`port ${port.mac} ${addressOf(port)} attached to ${node} in OpenStack`)
	const seen = cloud.openstack.portSeen(port.id)
	const follow = followPort({ ...following(demo, options), node, mac: port.mac, change: 'attached', seen })
	const gateways = [withPrefix(dataNetwork.gateway)]
	const plugged = lab.node(node).attachPort({ mac: port.mac, network: dataNetwork.name, gateways })
	const [times] = await Promise.all([follow, plugged])
	const expected = (await assertCorrect(demo, node)).find(({ mac }) => mac === port.mac)
	if (!expected) throw new Error(`${node} has no interface for port ${port.mac}`)
	options.print(
		`${expected.name} of ${node} is correct: ${expected.address}, MTU ${expected.mtu}, ${seconds(times.Configured ?? 0)} after the port was attached`,
	)
	if (cloud.inventoryUrl) options.print(`  its path from port to NIC: curl ${cloud.inventoryUrl}/v1/inventory/ports/${port.id}`)
	return { node, port, expected, times }
}

/**
 * Detaches the port of a NIC in the same order as a cloud: first removes the device, then updates OpenStack. Waits until the node config is
 * `Configured` without the NIC. Then checks the node itself, and throws if it finds a fault.
 *
 * @param nic name (`multinic0`) or MAC
 */
export async function detachPort(demo: Demo, node: string, nic: string, options: ActionOptions): Promise<void> {
	const { lab, cloud } = demo
	const expected = byNameOrMac(node, await expectedNics(demo, node), nic)
	const port = cloud.openstack.cloud.ports.find(({ mac, serverId }) => mac === expected.mac && serverId !== '')
	if (!port) throw new Error(`OpenStack has no port ${expected.mac} on ${node}`)
	await lab.node(node).detachPort(port.mac)
	cloud.openstack.detach(port.id)
	options.print(`port ${port.mac} ${addressOf(port)} detached from ${node} in OpenStack`)
	await followPort({ ...following(demo, options), node, mac: port.mac, change: 'detached' })
	await assertCorrect(demo, node)
	options.print(`${expected.name} of ${node} is removed without leftovers`)
}

/** Reboots the node, then checks on it that all its NICs are as before. Throws if it finds a fault. Returns the names of the NICs. */
export async function rebootAndCheck(demo: Demo, node: string): Promise<string[]> {
	await step(`${node} reboots`, () => demo.lab.node(node).reboot())
	// After a boot, networkd may finish a moment later than the kubelet.
	return (await assertCorrect(demo, node, 30_000)).map(({ name }) => name)
}

/** The watches do not log. If one fails, the messages of the demo show it. */
const silentLog = createLog('lab', { level: 'silent', to: new Writable({ write: (_chunk, _encoding, done) => done() }) })

type Following = Pick<Follow, 'client' | 'namespace' | 'log' | 'onMilestone' | 'withinMs'>

function following({ client }: Demo, { print }: ActionOptions): Following {
	const onMilestone = (milestone: string, afterMs: number) => print(`  ${seconds(afterMs).padStart(7)}  ${milestone}`)
	return { client, namespace, log: silentLog, onMilestone, withinMs: patienceMs }
}

function addressOf({ fixedIps }: Port): string {
	return fixedIps[0]?.address ?? ''
}

function byNameOrMac(node: string, nics: readonly ExpectedNic[], nic: string): ExpectedNic {
	const found = nics.find(({ name, mac }) => name === nic || mac === nic.toLowerCase())
	if (!found) throw new Error(`${node} has no NIC ${nic}; it has ${nics.map(({ name }) => name).join(', ') || 'none'}`)
	return found
}

/** Repeats the check until it finds no fault: at least once, and for at most `withinMs`. */
async function assertCorrect(demo: Demo, node: string, withinMs = 0): Promise<ExpectedNic[]> {
	const expected = await expectedNics(demo, node)
	const deadline = Date.now() + withinMs
	let faults = await findNodeFaults(demo.lab.node(node), expected)
	while (faults.length > 0 && Date.now() < deadline) faults = await findNodeFaults(demo.lab.node(node), expected)
	if (faults.length > 0) throw new Error(`${node} is not in the desired state: ${faults.join('; ')}`)
	return expected
}
