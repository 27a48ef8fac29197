import type { Story } from '../story.ts'
import { namespace } from './cloud.ts'
import { attachPort, rebootAndLook } from './port.ts'
import { setStage } from './stage.ts'

/** The product's own story: a port is attached to the last node's VM in OpenStack and becomes its `multinic0`, which outlives a reboot. */
export const productStory: Story = async (lab, tell, { reboot }) => {
	const stage = await setStage(lab)
	const node = lab.nodes.at(-1)?.name ?? ''
	const began = Date.now()
	const attached = await attachPort(stage, node, { tell })
	const portToConfigured = since(began)
	tell(
		`${attached.wanted.name} of ${node} is right: ${attached.wanted.address}, MTU ${attached.wanted.mtu}, ${portToConfigured} s after the port`,
	)
	const told = { state: 'Configured', node, interfaces: [attached.wanted.name] }
	if (!reboot) return { ...told, seconds: { portToConfigured } }
	const left = Date.now()
	await rebootAndLook(stage, attached)
	const seconds = { portToConfigured, reboot: since(left) }
	tell(`${node} rebooted in ${seconds.reboot} s and ${attached.wanted.name} is right again`)
	await stage.stop()
	return { ...told, rebootKept: true, seconds }
}

/** What a person can do now, in a terminal where KUBECONFIG and PATH are set. */
export const invitations = [
	`kubectl get mnnc -n ${namespace}`,
	`kubectl describe mnnc -n ${namespace}`,
	`kubectl get jobs -n ${namespace}`,
] as const

function since(began: number): number {
	return Math.round((Date.now() - began) / 100) / 10
}
