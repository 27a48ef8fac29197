import { sameJson } from '../contract/canonical.ts'
import { OpenstackConfigSpec } from '../contract/openstack-config.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Failure, isFailure } from '../runtime/errors.ts'
import { type KubeClient, nameOf } from '../runtime/kube/index.ts'
import { faultsIn } from '../runtime/faults.ts'
import type { Log } from '../runtime/log.ts'
import type { Again, Reconcile } from '../runtime/loop.ts'
import { type DownLooks, lookAtDown, nextPoll, nextSync } from './cadence.ts'
import { claimsOf } from './claims.ts'
import type { Config } from './config.ts'
import { withNewPorts } from './changes.ts'
import type { Follower } from './follow/follower.ts'
import type { Inventory } from './inventory/inventory.ts'
import { type Ledger, ledgerOf } from './ledger.ts'
import { advice, type MgmtReason, nextAfter, refuse } from './model/failures.ts'
import { gather } from './gather.ts'
import type { Clients, HttpClients } from './http-clients.ts'
import { type OpenstackConfig, OpenstackConfigKind, WITHDRAW_FINALIZER } from './kind.ts'
import type { Tokens } from './openstack/tokens.ts'
import { type Plan, planNodes, type World } from './plan.ts'
import { routeToViola, violaAt } from './reach-viola.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import { addFinalizer, removeFinalizer } from './finalizer.ts'
import { ownersOf } from './owner.ts'
import { retryAfterOf } from './viola/batches.ts'
import type { Viola } from './viola/client.ts'
import { pollOf, providerOf, settingsOf, warningsOf } from './settings.ts'
import { type Outcome, statusAfter } from './status.ts'

export type Mgmt = {
	client: KubeClient
	/** All OpenstackConfigs in the watch cache. */
	all: () => Iterable<OpenstackConfig>
	env: Config
	http: HttpClients
	tokens: Tokens
	log: Log
	clock: Clock
	/** 0 ≤ x < 1 */
	chance: () => number
	inventory: Inventory
	follower: Follower
	/** Whether this process is the leader; called immediately before each write to viola. */
	mayWrite: () => boolean
}

/** The dependencies of the work on one OpenstackConfig. */
type Work = Omit<Mgmt, 'http'> & { http: Clients; ledger: Ledger }

/**
 * Reconciles one OpenstackConfig: reads everything, decides, sends the differences, and writes the status. A failure is reported in the
 * status and retried.
 */
export function reconcileOpenstackConfig(mgmt: Mgmt): Reconcile {
	const downLooks = new Map<string, DownLooks | undefined>()
	return async (key, signal) => {
		const config = await mgmt.client.find(OpenstackConfigKind, nameOf(key))
		if (!config) {
			mgmt.follower.finish(key)
			return void downLooks.delete(key)
		}
		const leaving = config.metadata.deletionTimestamp !== undefined
		if (!leaving) await addFinalizer(mgmt.client, config)
		const ledger = ledgerOf(mgmt, config)
		const work = (http: Clients) => (leaving ? withdrawAll : sync)({ ...mgmt, http, ledger }, config)
		const outcome = await mgmt.http.during(signal, work).catch(error => expected(error, leaving))
		if (leaving && isDone(outcome)) return void (await removeFinalizer(mgmt.client, config))
		await writeStatus(mgmt, config, outcome)
		if ('plan' in outcome) downLooks.set(key, lookAtDown(outcome.plan.down, downLooks.get(key)))
		return again(mgmt, config, outcome, downLooks.get(key))
	}
}

async function sync(mgmt: Work, config: OpenstackConfig): Promise<Outcome> {
	const { ledger, log, clock } = mgmt
	const spec = parse(config.spec)
	const settings = settingsOf(spec, mgmt.env)
	const secrets = secretsOf(mgmt.client, config.metadata.namespace ?? '', spec, mgmt.env)
	const viola = await openViola(mgmt, config, spec, secrets)
	const known = { before: nodesBefore(config), claims: claimsOf(config, mgmt.all(), mgmt.env), ...ownersOf(config, mgmt.all()) }
	const { world, plan } = await planWith(ledger, await gather({ ...mgmt, spec, settings, secrets, viola }, known))
	const sent = await viola.send(plan.send)
	ledger.sent(world, { plan, applied: new Set(sent.applied), at: clock.now() })
	const withdrawn = await viola.withdraw(plan.withdraw)
	ledger.withdrew(settings.providerId, withdrawn.applied)
	const errors = new Map([...sent.errors, ...withdrawn.errors].map(({ nodeName, message }) => [nodeName, message]))
	if (plan.send.length + plan.withdraw.length > 0)
		log.info(
			{ openstackConfig: config.metadata.name, sent: sent.applied, withdrawn: withdrawn.applied, refused: [...errors.keys()] },
			'sent',
		)
	const warnings = [...warningsOf(spec), ...(ledger.warning === undefined ? [] : [ledger.warning])]
	const retryAfterMs = Math.max(sent.retryAfterMs ?? 0, withdrawn.retryAfterMs ?? 0)
	return { plan, inForce: world.inForce, sent: new Set(sent.applied), errors, warnings, retryAfterMs }
}

/** Plans, and plans again with the ids in the inventory if nodes have new ports. */
async function planWith(ledger: Ledger, world: World): Promise<{ world: World; plan: Plan }> {
	const plan = planNodes(world)
	const remembered = await ledger.remembered(world.settings.providerId, withNewPorts(plan.wanted, world.inForce))
	if (remembered.size === 0) return { world, plan }
	const complete = { ...world, remembered }
	return { world: complete, plan: planNodes(complete) }
}

/** Withdraws all nodes of an OpenstackConfig that is being deleted, so that their NICs are restored. */
async function withdrawAll(mgmt: Work, config: OpenstackConfig): Promise<Outcome> {
	const nothing: Outcome = {
		plan: { wanted: [], send: [], withdraw: [], kept: [], down: [], faults: [] },
		inForce: new Map(),
		sent: new Set(),
		errors: new Map(),
		warnings: [],
	}
	const claims = claimsOf(config, mgmt.all(), mgmt.env)
	const nodes = nodesBefore(config).filter(nodeName => !claims.has(nodeName))
	if (nodes.length === 0) return nothing
	const spec = parse(config.spec)
	const secrets = secretsOf(mgmt.client, config.metadata.namespace ?? '', spec, mgmt.env)
	const viola = await openViola(mgmt, config, spec, secrets)
	const { applied, errors, retryAfterMs } = await viola.withdraw(nodes)
	mgmt.ledger.withdrew(providerOf(spec.credentials).providerId, applied)
	mgmt.log.info({ openstackConfig: config.metadata.name, withdrawn: applied }, 'withdrawn because it is being deleted')
	if (errors.length === 0) return nothing
	throw refuse('ViolaPostError', errors.map(({ nodeName, message }) => `${nodeName} ${message}`).join('; '), { retryAfterMs })
}

/** Opens viola for this reconcile, and follows its node configs from now on. */
async function openViola(mgmt: Work, config: OpenstackConfig, spec: OpenstackConfigSpec, secrets: Secrets): Promise<Viola> {
	try {
		const route = await routeToViola(config, spec, mgmt.env, secrets)
		mgmt.ledger.follow(route)
		return violaAt(route, mgmt.http, mgmt.mayWrite)
	} catch (error) {
		// if a Secret could not be read now, the previous token may still be valid
		if (!isFailure(error) || error.facts.cause === undefined) mgmt.ledger.leave()
		throw error
	}
}

/** Parses the spec. The API server has validated it against the CRD, but an older CRD may have accepted more. */
function parse(spec: unknown): OpenstackConfigSpec {
	const parsed = OpenstackConfigSpec.safeParse(spec)
	if (parsed.success) return parsed.data
	throw refuse('ConfigError', faultsIn(parsed.error, { field: 'spec' }))
}

/** Turns an expected failure into an outcome; a bug, or an error of the API server, is thrown to the loop. */
function expected(error: unknown, leaving: boolean): Outcome & { error: Failure } {
	if (!isFailure<MgmtReason>(error) || !(error.code in advice)) throw error
	const next = leaving ? `It is retried automatically; to give up, remove the finalizer ${WITHDRAW_FINALIZER}` : nextAfter(error)
	return { failure: { reason: error.code, message: error.message, next }, error, retryAfterMs: retryAfterOf(error) }
}

function isDone(outcome: Outcome): boolean {
	return !('failure' in outcome)
}

function nodesBefore({ status }: OpenstackConfig): string[] {
	return status?.nodes?.map(({ nodeName }) => nodeName) ?? []
}

async function writeStatus({ client, clock, log, inventory }: Mgmt, config: OpenstackConfig, outcome: Outcome): Promise<void> {
	const now = { at: new Date(clock.now()).toISOString(), generation: config.metadata.generation ?? 0, inventory: inventory.state() }
	const status = statusAfter(outcome, config.status, now)
	if (sameJson(status, config.status)) return
	if ('error' in outcome) log.warn({ openstackConfig: config.metadata.name, err: outcome.error }, 'sync failed')
	await client.patchStatus(OpenstackConfigKind, config.metadata, { ...status, lastError: status.lastError ?? null })
}

function again({ env, clock, chance }: Mgmt, { spec, status }: OpenstackConfig, outcome: Outcome, down: DownLooks | undefined): Again {
	const failed = 'failure' in outcome || outcome.errors.size > 0
	const sentNow = 'sent' in outcome && outcome.sent.size > 0
	const last = sentNow ? clock.now() : Date.parse(status?.lastSyncedAt ?? '')
	const moment = { nowMs: clock.now(), lastSentMs: Number.isNaN(last) ? undefined : last, down, failed, chance: chance() }
	return { afterMs: nextSync(nextPoll(pollOf(spec, env), moment), outcome.retryAfterMs) }
}
