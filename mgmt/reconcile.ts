import { sameJson } from '../contract/canonical.ts'
import { OpenstackConfigSpec } from '../contract/openstack-config.ts'
import type { Clock } from '../runtime/clock.ts'
import { type Failure, isFailure } from '../runtime/errors.ts'
import { type KubeClient, nameOf } from '../runtime/kube/index.ts'
import { faultsIn } from '../runtime/faults.ts'
import type { Log } from '../runtime/log.ts'
import type { Again, Reconcile } from '../runtime/loop.ts'
import { type DownLooks, lookAtDown, nextPoll } from './cadence.ts'
import { claimsOf } from './claims.ts'
import type { Config } from './config.ts'
import { createGrantedClient } from './disclosure/client.ts'
import { grantOf } from './disclosure/decide.ts'
import { providerRefusal } from './disclosure/providers.ts'
import { advice, type MgmtReason, nextAfter, refuse } from './model/failures.ts'
import { gather } from './gather.ts'
import type { Clients, HttpClients } from './http-clients.ts'
import { type OpenstackConfig, OpenstackConfigKind, WITHDRAW_FINALIZER } from './kind.ts'
import type { Tokens } from './openstack/tokens.ts'
import { planNodes } from './plan.ts'
import { violaOf } from './remotes.ts'
import { type Secrets, secretsOf } from './secrets.ts'
import { createViola, type Viola } from './send.ts'
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
}

/** The dependencies of one reconcile. */
type Work = Omit<Mgmt, 'http'> & { http: Clients }

/**
 * Reconciles one OpenstackConfig: reads everything, decides, sends the differences, and writes the status. A failure is reported in the
 * status and retried.
 */
export function reconcileOpenstackConfig(mgmt: Mgmt): Reconcile {
	const downLooks = new Map<string, DownLooks | undefined>()
	return async (key, signal) => {
		const config = await mgmt.client.find(OpenstackConfigKind, nameOf(key))
		if (!config) return void downLooks.delete(key)
		const leaving = config.metadata.deletionTimestamp !== undefined
		if (!leaving) await addFinalizer(mgmt, config)
		const work = (http: Clients) => (leaving ? withdrawAll : sync)({ ...mgmt, http }, config)
		const outcome = await mgmt.http.during(signal, work).catch(error => expected(error, leaving))
		if (leaving && isDone(outcome)) return void (await removeFinalizer(mgmt, config))
		await writeStatus(mgmt, config, outcome)
		if ('plan' in outcome) downLooks.set(key, lookAtDown(outcome.plan.down, downLooks.get(key)))
		return again(mgmt, config, outcome, downLooks.get(key))
	}
}

async function sync(mgmt: Work, config: OpenstackConfig): Promise<Outcome> {
	const spec = parse(config.spec)
	const settings = settingsOf(spec, mgmt.env)
	const secrets = secretsOf(mgmt.client, config.metadata.namespace ?? '', spec, mgmt.env)
	const viola = await violaFor(mgmt, config, spec, secrets)
	const claims = claimsOf(config, mgmt.all(), mgmt.env)
	const world = await gather({ ...mgmt, spec, settings, secrets, viola }, nodesBefore(config), claims)
	const plan = planNodes(world)
	const sent = await viola.send(plan.send)
	const withdrawn = await viola.withdraw(plan.withdraw)
	const errors = new Map([...sent.errors, ...withdrawn.errors].map(({ nodeName, message }) => [nodeName, message]))
	const outcome = { plan, inForce: world.inForce, sent: new Set(sent.applied), errors, warnings: warningsOf(spec) }
	if (plan.send.length + plan.withdraw.length > 0)
		mgmt.log.info(
			{ openstackConfig: config.metadata.name, sent: sent.applied, withdrawn: withdrawn.applied, refused: [...errors.keys()] },
			'sent',
		)
	return outcome
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
	const viola = await violaFor(mgmt, config, spec, secretsOf(mgmt.client, config.metadata.namespace ?? '', spec, mgmt.env))
	const { applied, errors } = await viola.withdraw(nodes)
	mgmt.log.info({ openstackConfig: config.metadata.name, withdrawn: applied }, 'withdrawn because it is being deleted')
	if (errors.length === 0) return nothing
	throw refuse('ViolaPostError', errors.map(({ nodeName, message }) => `${nodeName} ${message}`).join('; '))
}

/** Creates the client of viola. @throws Failure SecretWithheld or ProviderNotAllowed, before anything is sent */
async function violaFor({ http, env }: Work, { metadata }: OpenstackConfig, spec: OpenstackConfigSpec, secrets: Secrets): Promise<Viola> {
	const remote = violaOf(spec, env)
	const provider = providerOf(spec.credentials)
	const token = await secrets.violaToken()
	const refusal = providerRefusal({ token, namespace: metadata.namespace ?? '', ...provider, allowed: env.VIOLA_ALLOWED_PROVIDERS })
	if (refusal) throw refuse('ProviderNotAllowed', refusal)
	const grant = grantOf(token, remote.endpoint, env.SECRET_ENDPOINT_HOSTS)
	return createViola(createGrantedClient(http.for(remote), grant), provider.providerId, remote.timeoutMs)
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
	return { failure: { reason: error.code, message: error.message, next }, error }
}

function isDone(outcome: Outcome): boolean {
	return !('failure' in outcome)
}

function nodesBefore({ status }: OpenstackConfig): string[] {
	return status?.nodes?.map(({ nodeName }) => nodeName) ?? []
}

async function addFinalizer({ client }: Mgmt, { metadata }: OpenstackConfig): Promise<void> {
	const { finalizers = [], resourceVersion } = metadata
	if (finalizers.includes(WITHDRAW_FINALIZER)) return
	await client.patch(OpenstackConfigKind, metadata, { metadata: { resourceVersion, finalizers: [...finalizers, WITHDRAW_FINALIZER] } })
}

async function removeFinalizer({ client }: Mgmt, { metadata }: OpenstackConfig): Promise<void> {
	const { finalizers = [], resourceVersion } = metadata
	const rest = finalizers.filter(finalizer => finalizer !== WITHDRAW_FINALIZER)
	if (rest.length < finalizers.length)
		await client.patch(OpenstackConfigKind, metadata, { metadata: { resourceVersion, finalizers: rest } })
}

async function writeStatus({ client, clock, log }: Mgmt, config: OpenstackConfig, outcome: Outcome): Promise<void> {
	const now = { at: new Date(clock.now()).toISOString(), generation: config.metadata.generation ?? 0 }
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
	return { afterMs: nextPoll(pollOf(spec, env), moment) }
}
