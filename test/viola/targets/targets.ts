import type { SecretTarget } from '../../../viola/targets/secret.ts'
import type { Target } from '../../../viola/targets/target.ts'

/** Builders of targets for tests. */

export function target(providerId: string, more: Partial<Target> = {}): Target {
	const place = more.place ?? providerId
	return { providerId, namespace: 'ns', source: 'clusters.yaml', access: { from: 'file' }, place, version: place, ...more }
}

/** A valid Secret; `more.fault` makes it invalid. */
export function secretTarget(name: string, providerId: string, more: Partial<SecretTarget> = {}): SecretTarget {
	const { fault } = more
	const access: Target['access'] = fault === undefined ? { from: 'file' } : { from: 'nowhere', fault }
	const source = `Secret viola/${name}`
	return {
		name,
		uid: `uid-${name}`,
		createdAt: '2026-01-01T00:00:00Z',
		target: target(providerId, { source, access, version: name }),
		...more,
	}
}

/** Sources that define these providers, and have been read. */
export function sourcesWith(providerIds: readonly string[], isComplete = true) {
	return {
		get: (providerId: string) => (providerIds.includes(providerId) ? target(providerId) : undefined),
		isComplete: () => isComplete,
	}
}
