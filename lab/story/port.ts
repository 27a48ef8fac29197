import { Writable } from 'node:stream'
import { interfaceName } from '../../contract/names.ts'
import { createLog } from '../../runtime/log.ts'
import type { Lab } from '../lab.ts'
import type { Port } from '../openstack/cloud.ts'
import { seconds, step } from '../progress.ts'
import type { Tell } from '../story.ts'
import { dataNetwork, namespace } from './cloud.ts'
import { followPort, type Journey } from './follow.ts'
import { type WantedNic, whatIsWrong } from './reality.ts'
import type { Stage } from './stage.ts'

/** A port that became a NIC. */
export interface Attached {
	readonly node: string
	readonly port: Port
	readonly wanted: WantedNic
	readonly journey: Journey
}

/**
 * Attaches a port of the data network to a node's VM, in OpenStack and on the machine at once, and follows it until the node config says
 * `Configured`; then asks the node itself. Throws what it found wrong.
 */
export async function attachPort({ lab, cloud, client }: Stage, node: string, { tell, withinMs = 180_000 }: Attend): Promise<Attached> {
	const vm = cloud.openstack.cloud.servers.find(({ name }) => name === node)
	const id = cloud.openstack.cloud.ports.filter(({ serverId }) => serverId === vm?.id).length
	const port = cloud.openstack.attach({ server: node, network: dataNetwork.name })
	tell(`port ${port.mac} ${addressOf(port)} attached to ${node} in OpenStack`)
	const reached = (leg: string, afterMs: number) => tell(`  ${seconds(afterMs).padStart(7)}  ${leg}`)
	const follow = followPort({ client, namespace, node, mac: port.mac, log: quiet, tell: reached, withinMs })
	const gateways = [`${dataNetwork.gateway}/${prefix}`]
	const plugged = lab.node(node).attachPort({ mac: port.mac, network: dataNetwork.name, gateways })
	const [journey] = await Promise.all([follow, plugged])
	const wanted = { id, name: interfaceName(id), mac: port.mac, mtu: dataNetwork.mtu, address: `${addressOf(port)}/${prefix}` }
	await assertRight(lab, node, wanted)
	return { node, port, wanted, journey }
}

type Attend = { tell: Tell; withinMs?: number }

/** Reboots the node and asks it whether the NIC came back as it was. Throws what it found wrong. */
export async function rebootAndLook({ lab }: Stage, { node, wanted }: Attached): Promise<void> {
	await step(`${node} reboots`, () => lab.node(node).reboot())
	await assertRight(lab, node, wanted, 30_000)
}

const prefix = Number(dataNetwork.cidr.split('/')[1])
/** Watching is not the story; what goes wrong with it shows in what the story says. */
const quiet = createLog('lab', { level: 'silent', to: new Writable({ write: (_chunk, _encoding, done) => done() }) })

function addressOf({ fixedIps }: Port): string {
	return fixedIps[0]?.address ?? ''
}

/** Right at once after a run; after a boot, networkd may be a moment behind the kubelet. */
async function assertRight(lab: Lab, node: string, wanted: WantedNic, withinMs = 0): Promise<void> {
	const deadline = Date.now() + withinMs
	let faults = await whatIsWrong(lab.node(node), wanted)
	while (faults.length > 0 && Date.now() < deadline) faults = await whatIsWrong(lab.node(node), wanted)
	if (faults.length > 0) throw new Error(`${node} is not as it should be: ${faults.join('; ')}`)
}
