import { attachPort, detachPort, rebootAndLook, type Tell } from './port-actions.ts'
import type { Stage } from './demo.ts'

/** What a user can do in a running lab, by the name of its command. Each throws what it found wrong. */
export const acts = {
	async attach(stage, tell, node) {
		await attachPort(stage, node, { tell })
	},
	async detach(stage, tell, node, nic) {
		await detachPort(stage, node, nic, { tell })
	},
	async reboot(stage, tell, node) {
		tell(`${node} reboots, which takes half a minute`)
		const began = Date.now()
		const names = await rebootAndLook(stage, node)
		tell(`${node} is Ready again after ${Math.round((Date.now() - began) / 1000)} s with ${names.join(', ') || 'no NIC of ours'}`)
	},
	async run(stage, tell, node, command) {
		const { stdout, stderr, exitCode } = await stage.lab.node(node).run(command)
		const said = `${stdout}${stderr}`.trimEnd()
		if (said) tell(said)
		if (exitCode !== 0) throw new Error(`${node}: exit code ${exitCode}`)
	},
} as const satisfies Record<string, (stage: Stage, tell: Tell, node: string, what: string) => Promise<void>>

export type ActName = keyof typeof acts
