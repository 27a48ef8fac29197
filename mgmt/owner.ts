import type { Owner } from '../contract/viola-api.ts'
import { keyOf } from '../runtime/kube/index.ts'
import type { Actor } from './inventory/inventory.ts'
import type { OpenstackConfig } from './kind.ts'

/** Returns an OpenstackConfig as the owner of its node configs, and the uids of all other OpenstackConfigs. */
export function ownersOf({ metadata }: OpenstackConfig, all: Iterable<OpenstackConfig>): { owner: Owner; others: Set<string> } {
	const { namespace = '', name, uid = '' } = metadata
	const others = new Set([...all].flatMap(other => other.metadata.uid ?? []))
	others.delete(uid)
	return { owner: { namespace, name, uid }, others }
}

/** Returns an OpenstackConfig as the one that caused a change. */
export function actorOf({ metadata }: OpenstackConfig): Actor {
	return { kind: 'OpenstackConfig', name: keyOf(metadata) }
}
