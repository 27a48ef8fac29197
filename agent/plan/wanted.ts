import type { WantedInterface } from '../../contract/interface.ts'
import type { Refusal } from '../model/check.ts'
import type { Protected } from './limit-checks.ts'
import type { LinkKinds } from './match-link.ts'

export type Wanted = {
	interfaces: readonly WantedInterface[]
	nodeAddresses: readonly string[]
	kinds: LinkKinds
	/** Interfaces that this run skips: it failed to configure them, or the chart does not allow them. */
	failed: ReadonlyMap<number, Refusal>
	/** MAC → why this run does not remove that link, although it is no longer desired. */
	kept?: ReadonlyMap<string, Refusal>
	/** Addresses that the node needs: API server, nameservers. Host names are ignored. */
	needed?: readonly string[]
	/** Host of the API server that this run uses. */
	apiServer?: string | undefined
	/** Networks of the cluster: a connected route that overlaps one stays out of the main table. */
	protectedNetworks?: readonly Protected[]
}
