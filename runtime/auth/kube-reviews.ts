import { createHash } from 'node:crypto'
import * as z from 'zod'
import { type Clock, steadyClock } from '../clock.ts'
import { Failure, isFailure } from '../errors.ts'
import type { HttpCode } from '../http-errors.ts'
import type { KubeClient } from '../kube/index.ts'
import type { Log } from '../log.ts'
import { type Access, EVERY_PROVIDER, verbs } from './access.ts'
import { createAgedCache } from './aged-cache.ts'

/** A user of the API server, as a TokenReview returns it. */
const User = z.object({
	username: z.string(),
	uid: z.string().optional(),
	groups: z.array(z.string()).optional(),
	extra: z.record(z.string(), z.array(z.string())).optional(),
})
export type KubeUser = z.infer<typeof User>

const TokenReview = z.object({
	// `user` is an empty object if the token is not valid
	status: z.object({ authenticated: z.boolean().default(false), user: z.unknown(), audiences: z.array(z.string()).default([]) }),
})
const AccessReview = z.object({ status: z.object({ allowed: z.boolean() }) })

/** The audience that a token must have. A token for the API server itself does not have it, so it is not accepted here. */
export const AUDIENCE = 'multinic'

/** Authentication and authorization by the API server of Kubernetes. Each call throws AUTH_UNAVAILABLE if the review fails. */
export type KubeReviews = {
	/** Returns whether the token was valid at its last review, which may be outdated. This causes no review. */
	wasValid(token: string): boolean
	/** @returns undefined if the token is not valid, or is not for this audience */
	identify(token: string): Promise<KubeUser | undefined>
	/** Returns whether the RBAC rules allow it. The provider id is the name of the resource. */
	allows(user: KubeUser, access: Access, providerId: string): Promise<boolean>
}

export type KubeReviewOptions = {
	/** Plural name of the resource in the rules. The resource does not have to exist. */
	resource: string
	group: string
	/** The namespace of the review: Roles that are bound in it apply, and ClusterRoles. */
	namespace: string
	log: Log
	/** A clock that is never set back. */
	clock?: Clock
}

/** How long results are reused (milliseconds), and how many are kept. */
const cached = { allowedMs: 30_000, refusedMs: 10_000, max: 4_096 }

/** Time limit of one review, and how long a client should wait after a failed one (milliseconds). */
const REVIEW_MS = 5_000
const RETRY_AFTER_MS = 5_000

export function createKubeReviews(client: Pick<KubeClient, 'raw'>, options: KubeReviewOptions): KubeReviews {
	const { resource, group, namespace, clock = steadyClock } = options
	const ageMs = (answer: unknown) => (answer ? cached.allowedMs : cached.refusedMs)
	const users = createAgedCache<KubeUser | undefined>({ ageMs, max: cached.max, clock })
	const decisions = createAgedCache<boolean>({ ageMs, max: cached.max, clock })
	const review = reviewer(client, options)
	return {
		wasValid: token => users.last(digestOf(token)) !== undefined,
		identify: token =>
			users.get(digestOf(token), async () => {
				const { status } = await review('authentication.k8s.io/v1', 'TokenReview', { token, audiences: [AUDIENCE] }, TokenReview)
				return status.authenticated && status.audiences.includes(AUDIENCE) ? User.safeParse(status.user).data : undefined
			}),
		allows: (user, access, providerId) =>
			decisions.get(digestOf(JSON.stringify([user, access, providerId])), async () => {
				const name = providerId === EVERY_PROVIDER ? '' : providerId
				const resourceAttributes = { group, resource, namespace, name, verb: verbs[access] }
				const { username, ...rest } = user
				const spec = { user: username, ...rest, resourceAttributes }
				return (await review('authorization.k8s.io/v1', 'SubjectAccessReview', spec, AccessReview)).status.allowed
			}),
	}
}

type Review = <T>(apiVersion: string, kind: string, spec: object, schema: z.ZodType<T>) => Promise<T>

function reviewer(client: Pick<KubeClient, 'raw'>, { log, clock = steadyClock }: KubeReviewOptions): Review {
	let warnedAt = Number.NEGATIVE_INFINITY
	return async (apiVersion, kind, spec, schema) => {
		const path = `/apis/${apiVersion}/${kind.toLowerCase()}s`
		try {
			const answer = await client.raw({ method: 'POST', path, verb: 'create', body: { apiVersion, kind, spec }, timeoutMs: REVIEW_MS })
			return schema.parse(answer)
		} catch (error) {
			if (!isFailure(error) && !(error instanceof z.ZodError)) throw error
			if (clock.now() - warnedAt >= 60_000) {
				warnedAt = clock.now()
				log.warn({ err: error, kind }, 'Kubernetes tokens cannot be verified; clients of the clients file are not affected')
			}
			throw unavailable(kind, error)
		}
	}
}

/** The message does not contain the cause, because the client is not authenticated. */
function unavailable(kind: string, cause: unknown): Failure<HttpCode> {
	const facts = { retryAfterMs: RETRY_AFTER_MS }
	return new Failure('AUTH_UNAVAILABLE', `the token cannot be verified now: the ${kind} failed`, { retry: true, facts, cause })
}

function digestOf(text: string): string {
	return createHash('sha256').update(text).digest('base64')
}
