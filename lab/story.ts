import type { Lab } from './lab.ts'

/** One line of the story as it happens. */
export type Tell = (line: string) => void

/** How the story went; the line that `npm start -- --once --json` prints. */
export interface StoryEnd {
	/** The state in which the node config ended. */
	state: string
	/** The node on which it happened. */
	node: string
	/** Names of the NICs that are right. */
	interfaces: readonly string[]
	/** Whether they were right again after a reboot; undefined when there was none. */
	rebootKept?: boolean
	seconds: { portToConfigured: number; reboot?: number }
}

/** A story that happens in a lab. With `reboot`, the node is rebooted at the end and looked at again. */
export type Story = (lab: Lab, tell: Tell, options: { reboot: boolean }) => Promise<StoryEnd>

const port = { mac: 'fa:16:3e:37:c3:f1', network: 'data', gateways: ['192.168.10.1/24'] }

/** A port is attached to the last node; its NIC appears in the node's kernel; after a reboot it is there again. */
export const plugStory: Story = async (lab, tell, { reboot }) => {
	const node = lab.nodes.at(-1)
	if (!node) throw new Error('the story needs a node')
	const began = Date.now()
	await node.attachPort(port)
	const interfaces = await nicNames()
	const portToConfigured = since(began)
	tell(`${port.mac} is ${interfaces.join()} of ${node.name} ${portToConfigured} s after it was attached`)
	if (!reboot) return { state: 'Plugged', node: node.name, interfaces, seconds: { portToConfigured } }
	const left = Date.now()
	await node.reboot()
	const rebootKept = (await nicNames()).length > 0
	const seconds = { portToConfigured, reboot: since(left) }
	tell(`${node.name} rebooted in ${seconds.reboot} s; the NIC is ${rebootKept ? 'there again' : 'gone'}`)
	return { state: 'Plugged', node: node.name, interfaces, rebootKept, seconds }

	async function nicNames(): Promise<string[]> {
		const links = (await node?.ask('udevadm settle; ip -br link')) ?? ''
		return [...links.matchAll(/^(\S+) .*$/gm)].filter(([line]) => line.includes(port.mac)).map(match => match[1] ?? '')
	}
}

function since(began: number): number {
	return Math.round((Date.now() - began) / 100) / 10
}
