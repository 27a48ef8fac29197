import type { Bases } from '../../contract/bases.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import type { HostState, Link } from '../host/state.ts'
import type { Found } from './check.ts'
import type { Refusal } from './match.ts'
import type { RecordedLink } from './record.ts'
import type { Move } from './rename.ts'

/** Which link is which interface, and which may be touched. */

export type Accepted = { nic: WantedInterface; link: Link; ours: RecordedLink | undefined }
/** `link` absent: none has its MAC, or more than one. */
export type Refused = { nic: WantedInterface; refusal: Refusal; link?: Link }
/** A link that was ours and no longer is wanted; `link` absent: it is not there any more. */
export type Released = { ours: RecordedLink; link: Link | undefined }
/** A link that is no longer wanted, but whose removal is refused: it stays as it is, and stays on record. */
export type Kept = { ours: RecordedLink; link: Link | undefined; refusal: Refusal }
export type Selection = {
	/** `nic` is what the link gets: without a connected route where its network is shared. */
	accepted: Accepted[]
	refused: Refused[]
	released: Released[]
	kept: Kept[]
	moves: Move[]
	/** id → why an interface that asks for a connected route gets none. */
	shared: ReadonlyMap<number, Found>
	/** What tells our route tables and rules: the wanted bases, and those that the record has. */
	bases: readonly Bases[]
}

/** An accepted interface among all that the run would change. */
export type Placed = { accepted: Accepted; selection: Selection; host: HostState }

/** A link that would be removed. */
export type Leaving = Released & { host: HostState }
