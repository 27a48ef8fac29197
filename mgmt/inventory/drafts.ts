import type { Actor, ChangeKind, Difference } from './records.ts'
import type { ChangeRow, NicRow, NodeRow } from './schema.ts'

/** What is stored about one node. An unchanged row stays the same object while changes are applied. */
export type Stored = { node: NodeRow | undefined; nics: readonly NicRow[] }

/** A row of table `change` without its number, its node and what the other changes of the same cause share. */
export type Draft = {
	kind: ChangeKind
	nic?: number
	port?: string | null
	reason?: string
	message?: string
	difference?: Difference
	/** Default: the actor of the whole change. */
	actor?: Actor
}

/** A row of table `change` that has no number yet. */
export type Unnumbered = Omit<ChangeRow, 'seq'>

export type Applied = Stored & { drafts: readonly Draft[] }

const MESSAGE_MAX = 256
const ACTOR_MAX = 320
const REASON_MAX = 64

/** Returns the row of a draft, with texts cut to the size of their columns. */
export function rowOfDraft(draft: Draft, of: { providerId: string; nodeName: string; at: number; actor: Actor }): Unnumbered {
	const { kind, name } = draft.actor ?? of.actor
	return {
		at: of.at,
		actor_kind: kind,
		actor: cut(name, ACTOR_MAX),
		provider_id: of.providerId,
		node: of.nodeName,
		nic: draft.nic ?? null,
		port: draft.port ?? null,
		kind: draft.kind,
		reason: cut(draft.reason ?? '', REASON_MAX),
		message: cut(draft.message ?? '', MESSAGE_MAX),
		difference: JSON.stringify(draft.difference ?? {}),
	}
}

/** Cuts a text for a column with that many characters. */
export function cut(text: string, most: number): string {
	return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
