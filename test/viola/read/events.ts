import type { StreamChange } from '../../../contract/stream-follower.ts'

/** @returns the parts of an event that viola sends, as a reader uses them */
export function eventIn(text: string): { id: string | undefined; data: string; change: StreamChange } {
	const [, event, , id, data] = /^event: ([\w-]+)\n(id: (\d+)\n)?data: (.*)\n\n$/.exec(text) ?? []
	if (event === undefined || data === undefined) throw new Error(`not an event: ${JSON.stringify(text)}`)
	return { id, data, change: { event, ...JSON.parse(data) } as StreamChange }
}
