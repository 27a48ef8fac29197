import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { sameJson } from '../../contract/canonical.ts'

/** Timestamps. If nothing else has changed, a write is not worthwhile. */
const timestamps = ['lastProcessed']

/**
 * Computes the merge patch that turns the stored status into the desired one: only the keys that differ, `null` for removed ones.
 *
 * @returns the patch, or undefined if a write would add no information; even a write without effect costs the API server as much as
 *   creating ten Jobs
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
