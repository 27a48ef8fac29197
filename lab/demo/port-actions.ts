import { Writable } from 'node:stream'
import { createLog } from '../../runtime/log.ts'
import type { Port } from '../openstack/cloud.ts'
import { seconds, step } from '../base/progress.ts'
import { dataNetwork, namespace, withPrefix } from './cloud.ts'
import { type Follow, followPort, type Journey } from './follow-port.ts'
import { type WantedNic, whatIsWrong } from './node-faults.ts'
import type { Stage } from './demo.ts'
import { wantedNics } from './expected-nics.ts'

/** Prints one line about what happens, as it happens. */
export type Tell = (line: string) => void

/** A port that became a NIC. */
export interface Attached {
	readonly node: string
	readonly port: Port
	readonly wanted: WantedNic
	readonly journey: Journey
}

/** Where progress is reported. */
export interface Attend {
	tell: Tell
}

const patienceMs = 180_000

/**
 * Attaches a port of the data network to a node's VM, in OpenStack and on the machine concurrently, and follows it until the node config is
 * `Configured`; then checks the node itself. Throws what it found wrong.
 */
export async function attachPort(stage: Stage, node: string, attend: Attend): Promise<Attached> {
	const { lab, cloud } = stage
	const port = cloud.openstack.attach({ server: node, network: dataNetwork.name })
	attend.tell(`port ${port.mac} ${addressOf(port)} attached to ${node} in OpenStack`)
	const seen = cloud.openstack.portSeen(port.id)
	const follow = followPort({ ...following(stage, attend), node, mac: port.mac, change: 'attached', seen })
	const gateways = [withPrefix(dataNetwork.gateway)]
	const plugged = lab.node(node).attachPort({ mac: port.mac, network: dataNetwork.name, gateways })
	const [journey] = await Promise.all([follow, plugged])
	const wanted = (await assertRight(stage, node)).find(({ mac }) => mac === port.mac)
	if (!wanted) throw new Error(`${node} has no interface for port ${port.mac}`)
	attend.tell(
		`${wanted.name} of ${node} is right: ${wanted.address}, MTU ${wanted.mtu}, ${seconds(journey.Configured ?? 0)} after the port`,
	)
	return { node, port, wanted, journey }
}

/**
 * Detaches the port behind a NIC as a cloud does: the device is removed, and OpenStack reports it afterwards. Follows it until the node
 * config is `Configured` without it; then checks the node itself. Throws what it found wrong.
 *
 * @param nic name (`multinic0`) or MAC
 */
export async function detachPort(stage: Stage, node: string, nic: string, attend: Attend): Promise<void> {
	const { lab, cloud } = stage
	const wanted = byNameOrMac(node, await wantedNics(stage, node), nic)
	const port = cloud.openstack.cloud.ports.find(({ mac, serverId }) => mac === wanted.mac && serverId !== '')
	if (!port) throw new Error(`OpenStack has no port ${wanted.mac} on ${node}`)
	await lab.node(node).detachPort(port.mac)
	cloud.openstack.detach(port.id)
	attend.tell(`port ${port.mac} ${addressOf(port)} detached from ${node} in OpenStack`)
	await followPort({ ...following(stage, attend), node, mac: port.mac, change: 'detached' })
	await assertRight(stage, node)
	attend.tell(`${wanted.name} of ${node} is gone, and nothing of it is left`)
}

/**
 * Reboots the node and checks on it whether all its NICs came back as they were. Throws what it found wrong. Returns the names of the NICs.
 */
export async function rebootAndLook(stage: Stage, node: string): Promise<string[]> {
	await step(`${node} reboots`, () => stage.lab.node(node).reboot())
	// After a boot, networkd may be a moment behind the kubelet.
	return (await assertRight(stage, node, 30_000)).map(({ name }) => name)
}

/** The watches log nothing; what goes wrong with them shows in the story's own messages. */
const quiet = createLog('lab', { level: 'silent', to: new Writable({ write: (_chunk, _encoding, done) => done() }) })

type Following = Pick<Follow, 'client' | 'namespace' | 'log' | 'tell' | 'withinMs'>

function following({ client }: Stage, { tell }: Attend): Following {
	const onLeg = (leg: string, afterMs: number) => tell(`  ${seconds(afterMs).padStart(7)}  ${leg}`)
	return { client, namespace, log: quiet, tell: onLeg, withinMs: patienceMs }
}

function addressOf({ fixedIps }: Port): string {
	return fixedIps[0]?.address ?? ''
}

function byNameOrMac(node: string, nics: readonly WantedNic[], nic: string): WantedNic {
	const found = nics.find(({ name, mac }) => name === nic || mac === nic.toLowerCase())
	if (!found) throw new Error(`${node} has no NIC ${nic}; it has ${nics.map(({ name }) => name).join(', ') || 'none'}`)
	return found
}

/** Checks until nothing is wrong, at least once and for at most `withinMs`. */
async function assertRight(stage: Stage, node: string, withinMs = 0): Promise<WantedNic[]> {
	const wanted = await wantedNics(stage, node)
	const deadline = Date.now() + withinMs
	let faults = await whatIsWrong(stage.lab.node(node), wanted)
	while (faults.length > 0 && Date.now() < deadline) faults = await whatIsWrong(stage.lab.node(node), wanted)
	if (faults.length > 0) throw new Error(`${node} is not as it should be: ${faults.join('; ')}`)
	return wanted
}
