import { NODE_CONFIGS_PATH, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { waitAfter } from '../../runtime/backoff.ts'
import { sleep } from '../../runtime/clock.ts'
import { type Failure, isFailure } from '../../runtime/errors.ts'
import { readEvents } from '../../runtime/event-stream.ts'
import type { GrantedClient } from '../disclosure/client.ts'
import { retryAfterOf } from '../viola/batches.ts'
import { createViola } from '../viola/client.ts'
import { createIntake, type Intake, type IntakeOptions } from './intake.ts'

export type StreamOptions = IntakeOptions & {
	client: GrantedClient
	/** Of the list of node configs, if viola has no stream. */
	timeoutMs: number
	/** Called when viola rejects the token. */
	onRefused(): void
	/** 0 ≤ x < 1 */
	chance(): number
}

/** Waits between two connections, in milliseconds. */
const WAITS = { firstMs: 1_000, maxMs: 60_000 }
/** How often the node configs are listed if viola has no stream, in milliseconds. */
const LIST_MS = 60_000

/**
 * Follows the node configs of one biz cluster until `signal` is aborted: what viola sends is written to the inventory. A stream that ends or
 * fails is opened again, and continues after the last event if viola can do that. Without a stream, the node configs are listed regularly.
 */
export async function followNodeConfigs(options: StreamOptions, signal: AbortSignal): Promise<void> {
	const intake = createIntake(options, signal)
	let failures = 0
	while (!signal.aborted) {
		const before = intake.received
		const end = await readUntilEnd(options, intake)
		failures = intake.received > before ? 1 : failures + 1
		if (!signal.aborted) await sleep(waitFor(end, failures, options), signal)
	}
	intake.close()
}

/** How a connection ended: viola closed the stream, viola has none and its node configs were listed, or it failed. */
type End = 'closed' | 'listed' | Failure

async function readUntilEnd({ client, providerId, timeoutMs }: StreamOptions, intake: Intake): Promise<End> {
	const lastId = intake.connect()
	const headers = (token: string) => ({
		Authorization: `Bearer ${token}`,
		[PROVIDER_HEADER]: providerId,
		...(lastId !== undefined && { 'Last-Event-ID': lastId }),
	})
	try {
		for await (const event of readEvents(client.stream({ path: NODE_CONFIGS_PATH, headers }))) intake.take(event)
		return 'closed'
	} catch (error) {
		if (!isFailure(error)) throw error
		if (error.code !== 'NO_STREAM') return error
	}
	const viola = createViola(client, { providerId, timeoutMs, mayWrite: () => false })
	try {
		intake.takeAll((await viola.inForce()).values())
		return 'listed'
	} catch (error) {
		if (isFailure(error)) return error
		throw error
	}
}

/** Reports how a connection ended, and returns when the next one begins, in milliseconds. */
function waitFor(end: End, failures: number, { log, providerId, onRefused, chance }: StreamOptions): number {
	if (end === 'listed') return LIST_MS * (1 + chance() / 10)
	const waitMs = waitAfter(failures, WAITS, chance())
	if (end === 'closed') return waitMs
	if (failures === 1) log.warn({ providerId, err: end }, 'the node configs cannot be followed, and are not up to date in the inventory')
	if (failures === 1 && isRefused(end)) onRefused()
	return Math.max(waitMs, retryAfterOf(end))
}

function isRefused({ code, facts }: Failure): boolean {
	return [code, facts.cause].some(reason => reason === 'UNAUTHORIZED' || reason === 'FORBIDDEN')
}
