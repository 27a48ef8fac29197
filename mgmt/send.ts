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
	/** Reads the current node configs, by node name. @throws Failure ViolaReadError */
	inForce(): Promise<Map<string, NodeConfigView>>
	/** @returns which nodes were accepted and which were rejected @throws Failure ViolaPostError if viola processed no node */
	send(nodes: readonly NodeConfigRequest[]): Promise<Sent>
	/** Deletes node configs; each is removed only after its node has restored its NICs. An absent node config is treated as withdrawn. */
	withdraw(nodeNames: readonly string[]): Promise<Sent>
}

/** @param client has the token for the Authorization header @param providerId id of the target biz cluster */
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

/** Returns the results for the nodes that were sent, and for no others. A node that is missing from the response is treated as failed. */
function sentOf(nodes: readonly NodeConfigRequest[], { results, errors }: NodeConfigsResponse): Sent {
	const silent = new Map(nodes.map(({ nodeName }) => [nodeName, { nodeName, message: 'the response of viola does not include it' }]))
	const own = <T extends { nodeName: string }>(said: readonly T[]): T[] => said.filter(({ nodeName }) => silent.has(nodeName))
	const [applied, refused] = [own(results).map(({ nodeName }) => nodeName), own(errors)]
	for (const nodeName of [...applied, ...refused.map(error => error.nodeName)]) silent.delete(nodeName)
	return { applied: [...new Set(applied)], errors: [...refused, ...silent.values()] }
}

const Deleted = z.object({ nodeName: z.string(), status: z.enum(['deleted', 'absent']) })
