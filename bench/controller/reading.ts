import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { LABEL_CONFIG_UID } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import type { ApiServer } from '../../lab/cluster/api-server.ts'
import { WATCH_AS_PROTOBUF } from '../../runtime/kube/envelope.ts'
import { collectionPath, type Kind } from '../../runtime/kube/kind.ts'
import { ConfigMap, Job, Node, Pod } from '../../runtime/kube/kinds.ts'
import { namespace } from './cluster.ts'

const kinds: readonly Kind[] = [Node, ConfigMap, Job, Pod]
const ofRuns: readonly Kind[] = [ConfigMap, Job, Pod]
const mark = Buffer.from('k8s.io/initial-events-end')

/**
 * Measures the baseline of a restart: a bare client that requests everything a controller reads at startup, and searches the responses only
 * for their end. @returns milliseconds
 */
export async function measureReading(api: ApiServer): Promise<number> {
	const began = performance.now()
	await Promise.all([readToItsEnd(api, NodeConfig), ...kinds.map(kind => readToItsMark(api, kind))])
	return performance.now() - began
}

/** Reads a list to its end. The controller reads node configs as a list. */
async function readToItsEnd(api: ApiServer, kind: Kind): Promise<void> {
	for await (const _ of await ask(api, kind, {}));
}

async function readToItsMark(api: ApiServer, kind: Kind): Promise<void> {
	const answer = await ask(api, kind, {
		...{ watch: 'true', allowWatchBookmarks: 'true', sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' },
		...(ofRuns.includes(kind) && { labelSelector: LABEL_CONFIG_UID }),
	})
	let tail = Buffer.alloc(0)
	for await (const chunk of answer as AsyncIterable<Buffer>) {
		tail = Buffer.concat([tail.subarray(-mark.length), chunk])
		if (tail.includes(mark)) return
	}
	throw new Error(`the watch of ${kind.plural} ended before its mark: ${answer.statusCode}`)
}

async function ask({ server, ca, token }: ApiServer, kind: Kind, query: Record<string, string>): Promise<IncomingMessage> {
	const headers = { authorization: `Bearer ${token}`, accept: WATCH_AS_PROTOBUF }
	const asked = request(`${server}${collectionPath(kind, namespace)}?${new URLSearchParams(query)}`, { ca, headers })
	asked.end()
	const [answer] = (await once(asked, 'response')) as [IncomingMessage]
	return answer
}
