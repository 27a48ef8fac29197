import { canonicalJson, canonicalText } from '../../contract/canonical.ts'
import type { Interface } from '../../contract/interface.ts'
import type { NodeConfigSpec } from '../../contract/node-config.ts'
import { ownLabels } from './manifest.ts'
import type { NodeConfigObject } from './node-config-kind.ts'

/**
 * Returns a text of everything that a POST sets, except the owner, which is optional in a POST. If two node configs have the same text, a
 * POST that requests one of them does not have to change the other.
 *
 * Never throws: interfaces that cannot be read differ from all interfaces that a POST can request.
 */
export function contentText({ metadata, spec }: NodeConfigObject): string {
	const { interfaces, specHash, providerId, instanceId }: Partial<NodeConfigSpec> = spec ?? {}
	const labels = ownLabels.map(name => metadata.labels?.[name] ?? null)
	const nics = haveReadableIds(interfaces) ? canonicalText(interfaces) : null
	return canonicalJson([nics, specHash ?? null, providerId ?? null, instanceId ?? null, labels])
}

function haveReadableIds(interfaces: unknown): interfaces is Interface[] {
	return Array.isArray(interfaces) && interfaces.every(hasReadableId)
}

function hasReadableId(nic: unknown): boolean {
	if (typeof nic !== 'object' || nic === null) return false
	return !('id' in nic) || nic.id === undefined || typeof nic.id === 'number'
}
