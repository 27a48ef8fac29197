import * as z from 'zod'
import { listOf } from '../../contract/bounded.ts'
import {
	NODE_CONFIGS_PATH,
	type NodeConfigRequest,
	NodeConfigsResponse,
	NodeConfigView,
	PROVIDER_HEADER,
} from '../../contract/viola-api.ts'
import { Failure, isFailure } from '../../runtime/errors.ts'
import type { GrantedClient } from '../disclosure/client.ts'
import { briefly, type MgmtReason, saying } from '../model/failures.ts'
import { endsCalls, inBatches, merged, type Part, pauseAfter, retryAfterOf, type Sent } from './batches.ts'

/** The client of viola for one biz cluster. */
export type Viola = {
	/** Reads the current node configs, by node name. @throws Failure ViolaReadError */
	inForce(): Promise<Map<string, NodeConfigView>>
	/**
	 * Sends node configs, at most 200 per POST.
	 *
	 * @returns which nodes were accepted and which were rejected
	 * @throws Failure ViolaPostError if viola processed no node
	 */
	send(nodes: readonly NodeConfigRequest[]): Promise<Sent>
	/** Deletes node configs; each is removed only after its node has restored its NICs. An absent node config is treated as withdrawn. */
	withdraw(nodeNames: readonly string[]): Promise<Sent>
}

export type ViolaTarget = {
	/** Id of the target biz cluster. */
	providerId: string
	timeoutMs: number
	/** Called immediately before each write, which fails if it returns false: another process may be the leader now. */
	mayWrite: () => boolean
}

/** @param client has the token for the Authorization header */
export function createViola(client: GrantedClient, target: ViolaTarget): Viola {
	const headers = (token: string) => ({ Authorization: `Bearer ${token}`, [PROVIDER_HEADER]: target.providerId })
	const calls: Calls = { ...target, call: request => client.call({ ...request, headers, timeoutMs: target.timeoutMs }) }
	return {
		inForce: () => readInForce(calls),
		send: nodes => send(calls, nodes),
		withdraw: nodeNames => withdraw(calls, nodeNames),
	}
}

type Calls = Pick<GrantedClient, 'call'> & Pick<ViolaTarget, 'mayWrite'>

async function readInForce({ call }: Calls): Promise<Map<string, NodeConfigView>> {
	const read = () => call({ path: NODE_CONFIGS_PATH, schema: InForce })
	const { body } = await saying('ViolaReadError', 'the current node configs could not be read from viola', read)
	return new Map(body.items.map(item => [item.nodeName, item]))
}

async function send(calls: Calls, nodes: readonly NodeConfigRequest[]): Promise<Sent> {
	const parts: Part[] = []
	for (const batch of inBatches(nodes)) {
		const failure = pauseAfter(parts)
		parts.push(failure ? { nodes: batch, failure } : await post(calls, batch))
	}
	return merged(parts)
}

async function post(calls: Calls, nodes: readonly NodeConfigRequest[]): Promise<Part> {
	refuseUnlessLeading(calls)
	const accept = (status: number) => status === 200 || status === 422 || status === 503
	const request = { method: 'POST', path: NODE_CONFIGS_PATH, body: () => nodes, schema: NodeConfigsResponse, accept } as const
	return saying('ViolaPostError', 'node configs could not be sent to viola', () => calls.call(request)).then(
		({ body }) => sentOf(nodes, body),
		error => ({ nodes, failure: expected(error) }),
	)
}

async function withdraw(calls: Calls, nodeNames: readonly string[]): Promise<Sent> {
	const sent: Sent = { applied: [], errors: [] }
	let pause: Failure | undefined
	for (const nodeName of nodeNames) {
		const failure = pause ?? (await remove(calls, nodeName))
		if (failure && endsCalls(failure)) pause = failure
		if (failure) sent.errors.push({ nodeName, message: `could not be withdrawn: ${briefly(failure)}` })
		else sent.applied.push(nodeName)
	}
	const retryAfterMs = pause ? retryAfterOf(pause) : 0
	return { ...sent, ...(retryAfterMs > 0 && { retryAfterMs }) }
}

/** @returns the failure, if there is one */
async function remove(calls: Calls, nodeName: string): Promise<Failure | undefined> {
	refuseUnlessLeading(calls)
	const path = `${NODE_CONFIGS_PATH}/${encodeURIComponent(nodeName)}` as const
	return calls.call({ method: 'DELETE', path, schema: Deleted }).then(() => undefined, expected)
}

function refuseUnlessLeading({ mayWrite }: Calls): void {
	if (!mayWrite()) throw new Failure('NOT_LEADING', 'nothing is sent to viola: another mgmt may be the leader', { retry: true })
}

function expected(error: unknown): Failure<MgmtReason> {
	if (isFailure<MgmtReason>(error)) return error
	throw error
}

/** Returns the results for the nodes that were sent, and for no others. A node that is missing from the response is treated as failed. */
function sentOf(nodes: readonly NodeConfigRequest[], { results, errors }: NodeConfigsResponse): Sent {
	const silent = new Map(nodes.map(({ nodeName }) => [nodeName, { nodeName, message: 'the response of viola does not include it' }]))
	const own = <T extends { nodeName: string }>(said: readonly T[]): T[] => said.filter(({ nodeName }) => silent.has(nodeName))
	const [applied, refused] = [own(results).map(({ nodeName }) => nodeName), own(errors)]
	for (const nodeName of [...applied, ...refused.map(error => error.nodeName)]) silent.delete(nodeName)
	return { applied: [...new Set(applied)], errors: [...refused, ...silent.values()] }
}

/** A view without what a viola of an earlier version does not report: such a view has the resourceVersion "". */
const View = NodeConfigView.extend({ deleting: z.boolean().default(false), resourceVersion: z.string().default('') })
const InForce = z.object({ items: listOf(View, 100_000) })

const Deleted = z.object({ nodeName: z.string(), status: z.enum(['deleted', 'absent']) })
