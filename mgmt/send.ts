import * as z from 'zod'
import {
	NODE_CONFIGS_PATH,
	NodeConfigList,
	type NodeConfigRequest,
	NodeConfigsResponse,
	type NodeConfigView,
	PROVIDER_HEADER,
} from '../contract/viola-api.ts'
import { isFailure } from '../runtime/errors.ts'
import type { GrantedClient } from './disclosure/client.ts'
import { briefly, saying } from './model/failures.ts'

export type Sent = { applied: string[]; errors: { nodeName: string; message: string }[] }

/** The client of viola for one biz cluster. */
export type Viola = {
	/** Reads the current node configs, by node. @throws Failure ViolaReadError */
	inForce(): Promise<Map<string, NodeConfigView>>
	/** @returns which nodes were accepted and which rejected @throws Failure ViolaPostError if viola processed no node */
	send(nodes: readonly NodeConfigRequest[]): Promise<Sent>
	/** Deletes node configs; the node restores its NICs before they are removed. Absent ones count as done. */
	withdraw(nodeNames: readonly string[]): Promise<Sent>
}

/** @param client holds the token, which goes into the Authorization header @param providerId of the target biz cluster */
export function createViola(client: GrantedClient, providerId: string, timeoutMs: number): Viola {
	const headers = (token: string) => ({ Authorization: `Bearer ${token}`, [PROVIDER_HEADER]: providerId })
	const common = { headers, timeoutMs }
	return {
		async inForce() {
			const read = () => client.call({ ...common, path: NODE_CONFIGS_PATH, schema: NodeConfigList })
			const { body } = await saying('ViolaReadError', 'the current node configs could not be read from viola', read)
			return new Map(body.items.map(item => [item.nodeName, item]))
		},
		async send(nodes) {
			if (nodes.length === 0) return { applied: [], errors: [] }
			const accept = (status: number) => status === 200 || status === 422 || status === 503
			const call = { ...common, method: 'POST', path: NODE_CONFIGS_PATH, body: () => nodes, schema: NodeConfigsResponse, accept } as const
			const post = () => client.call(call)
			const { body } = await saying('ViolaPostError', 'node configs could not be sent to viola', post)
			return sentOf(nodes, body)
		},
		async withdraw(nodeNames) {
			const sent: Sent = { applied: [], errors: [] }
			for (const nodeName of nodeNames) {
				try {
					const path = `${NODE_CONFIGS_PATH}/${encodeURIComponent(nodeName)}` as const
					await client.call({ ...common, method: 'DELETE', path, schema: Deleted })
					sent.applied.push(nodeName)
				} catch (error) {
					if (!isFailure(error)) throw error
					sent.errors.push({ nodeName, message: `could not be withdrawn: ${briefly(error)}` })
				}
			}
			return sent
		},
	}
}

/** Returns what the response says of the nodes that were sent, and of no others; a node that it does not mention does not count as done. */
function sentOf(nodes: readonly NodeConfigRequest[], { results, errors }: NodeConfigsResponse): Sent {
	const silent = new Map(nodes.map(({ nodeName }) => [nodeName, { nodeName, message: 'the response of viola does not include it' }]))
	const own = <T extends { nodeName: string }>(said: readonly T[]): T[] => said.filter(({ nodeName }) => silent.has(nodeName))
	const [applied, refused] = [own(results).map(({ nodeName }) => nodeName), own(errors)]
	for (const nodeName of [...applied, ...refused.map(error => error.nodeName)]) silent.delete(nodeName)
	return { applied: [...new Set(applied)], errors: [...refused, ...silent.values()] }
}

const Deleted = z.object({ nodeName: z.string(), status: z.enum(['deleted', 'absent']) })
