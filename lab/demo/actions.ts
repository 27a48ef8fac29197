import { attachPort, detachPort, rebootAndCheck, type Print } from './port-actions.ts'
import type { Demo } from './demo.ts'

/** What a user can do in a running lab, by command name. Each action throws if it finds a fault. */
export const actions = {
	async attach(demo, print, node) {
		await attachPort(demo, node, { print })
	},
	async detach(demo, print, node, nic) {
		await detachPort(demo, node, nic, { print })
	},
	async reboot(demo, print, node) {
		print(`${node} reboots, which takes half a minute`)
		const began = Date.now()
		const names = await rebootAndCheck(demo, node)
		print(`${node} is Ready again after ${Math.round((Date.now() - began) / 1000)} s with ${names.join(', ') || 'no managed NIC'}`)
	},
	async run(demo, print, node, command) {
		const { stdout, stderr, exitCode } = await demo.lab.node(node).run(command)
		const output = `${stdout}${stderr}`.trimEnd()
		if (output) print(output)
		if (exitCode !== 0) throw new Error(`${node}: exit code ${exitCode}`)
	},
} as const satisfies Record<string, (demo: Demo, print: Print, node: string, what: string) => Promise<void>>

export type ActionName = keyof typeof actions
