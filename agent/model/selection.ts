import type { Bases } from '../../contract/bases.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import type { Cause, Refusal } from './check.ts'
import type { HostState, Link } from './host-state.ts'
import type { RecordedLink } from './record.ts'

/** Types for the assignment of links to interfaces, and for the links that a run may change. */

export type Accepted = { nic: WantedInterface; link: Link; ours: RecordedLink | undefined }
/** `link` is absent if no link has the MAC of the interface, or if several links have it. */
export type Refused = { nic: WantedInterface; refusal: Refusal; link?: Link }
/** A link that MultiNIC managed and that is no longer desired; `link` absent: it no longer exists. */
export type Released = { ours: RecordedLink; link: Link | undefined }
/** A link that is no longer desired, but whose removal is refused: the link and its record stay as they are. */
export type Kept = { ours: RecordedLink; link: Link | undefined; refusal: Refusal }
export type Selection = {
	/** `nic` is what the link gets: without a connected route if its network is shared. */
	accepted: Accepted[]
	refused: Refused[]
	released: Released[]
	kept: Kept[]
	moves: Move[]
	/** id → why an interface that requests a connected route gets none. */
	shared: ReadonlyMap<number, Cause>
	/** Bases that identify the route tables and rules managed by MultiNIC: the desired ones, and those of the record. */
	bases: readonly Bases[]
}

/** An accepted interface among all that the run would change. */
export type Placed = { accepted: Accepted; selection: Selection; host: HostState }

/** A link that would be removed. */
export type Leaving = Released & { host: HostState }

/** A link that gets another name. */
export type Move = { link: number; from: string; to: string }
