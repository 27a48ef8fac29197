import type { WantedInterface } from '../../contract/interface.ts'
import type { HostState, Link } from '../model/host-state.ts'
import type { RecordedLink } from '../model/record.ts'

export type PreflightInput = {
	nic: WantedInterface
	link: Link
	host: HostState
	/** The record of the link, if MultiNIC already manages it. */
	ours: RecordedLink | undefined
	nodeAddresses: readonly string[]
	/** Host of the API server that this run uses. */
	apiServer?: string | undefined
	/** Addresses that the node needs: API server, nameservers. */
	needed?: readonly string[] | undefined
	/** All interfaces of the node config. */
	interfaces: readonly WantedInterface[]
	/** ifindexes of the links that are, or will be, managed by MultiNIC. */
	own: ReadonlySet<number>
}
