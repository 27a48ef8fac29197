import type { WantedInterface } from '../../contract/interface.ts'
import type { HostState, Link } from '../host/state.ts'
import type { Refusal } from './match.ts'
import type { RecordedLink } from './record.ts'
import type { Move } from './rename.ts'

/** Which link is which interface, and which may be touched. */

export type Accepted = { nic: WantedInterface; link: Link; ours: RecordedLink | undefined }
export type Refused = { nic: WantedInterface; refusal: Refusal }
/** A link that was ours and no longer is wanted; `link` absent: it is not there any more. */
export type Released = { ours: RecordedLink; link: Link | undefined }
export type Selection = { accepted: Accepted[]; refused: Refused[]; released: Released[]; moves: Move[] }

/** An accepted interface among all that the run would change. */
export type Placed = { accepted: Accepted; selection: Selection; host: HostState }
