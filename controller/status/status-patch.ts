import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { sameJson } from '../../contract/canonical.ts'

/** Timestamps; a change of these alone is not worth a write. */
const timestamps = ['lastProcessed']

/**
 * Returns the merge patch that turns the stored status into the desired one: only what differs, `null` for what is removed.
 *
 * @returns undefined when a write would add no information. Every write costs the API server as much as ten Job creates, even one without
 *   effect
 */
export function statusPatch(
	stored: Readonly<Record<string, unknown>>,
	wanted: NodeConfigStatus,
): Readonly<Record<string, unknown>> | undefined {
	const next = wanted as Readonly<Record<string, unknown>>
	const keys = [...new Set([...Object.keys(stored), ...Object.keys(next)])].filter(key => !sameJson(stored[key], next[key]))
	if (keys.every(key => timestamps.includes(key))) return undefined
	return Object.fromEntries(keys.map(key => [key, next[key] ?? null]))
}
