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
