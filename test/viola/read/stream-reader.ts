import type { NodeConfigView } from '../../../contract/viola-api.ts'
import type { Meaning } from '../../../mgmt/follow/events.ts'
import { createProgress } from '../../../mgmt/follow/progress.ts'

/** What a reader knows of each node: the value that `valueIn` takes from the data of its last event. */
export type StreamReader = {
	readonly known: Map<string, string>
	/** To be called before each connection. @returns what the connection sends as `Last-Event-ID` */
	connect(): string | undefined
	/** @returns the event in short, such as `node-config worker-1` */
	take(event: Readonly<{ id?: string | undefined; event: string; data: string }>): string
}

/** Creates a reader that follows the protocol, as mgmt does. */
export function createStreamReader(valueIn: (data: string) => string): StreamReader {
	const progress = createProgress()
	const known = new Map<string, string>()
	const dropUnsent = () => {
		for (const nodeName of known.keys()) if (!progress.nodeNames.has(nodeName)) known.delete(nodeName)
	}
	return {
		known,
		connect() {
			if (!progress.isComplete) progress.restart()
			return progress.lastId
		},
		take({ id, event, data }) {
			const { nodeName } = JSON.parse(data) as { nodeName?: string }
			const meaning = meaningOf(event, nodeName ?? '')
			progress.add(meaning, id)
			if (meaning.kind === 'config') known.set(meaning.view.nodeName, valueIn(data))
			if (meaning.kind === 'deleted') known.delete(meaning.nodeName)
			if (meaning.kind === 'synced') dropUnsent()
			return nodeName === undefined ? event : `${event} ${nodeName}`
		},
	}
}

/** Like `meaningOf` of mgmt, but without the rest of the view, which generated node configs do not have. */
function meaningOf(event: string, nodeName: string): Meaning {
	if (event === 'node-config') return { kind: 'config', view: { nodeName } as NodeConfigView }
	if (event === 'deleted') return { kind: 'deleted', nodeName }
	if (event === 'synced' || event === 'reset') return { kind: event }
	throw new Error(`${event} is not an event of viola`)
}

/** @returns the parts of an event in the text that viola sends */
export function eventIn(text: string): { id: string | undefined; event: string; data: string } {
	const [, event, , id, data] = /^event: ([\w-]+)\n(id: (\d+)\n)?data: (.*)\n\n$/.exec(text) ?? []
	if (event === undefined || data === undefined) throw new Error(`not an event: ${JSON.stringify(text)}`)
	return { id, event, data }
}
