import { ipOf } from '../../contract/ip.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import type { Selection } from '../model/selection.ts'
import { touchedBy } from './fingerprint.ts'
import type { Subject } from './node-packets.ts'

/**
 * Returns the input for the lookups of a run, except the host.
 *
 * @param paths addresses that the node depends on
 */
export function subjectOf(selection: Selection, paths: readonly string[]): Subject {
	const { accepted, bases } = selection
	return {
		touched: touchedBy(selection),
		networks: accepted.flatMap(({ nic, link }) => routesOf(nic, link.ifindex).map(({ to }) => to)),
		given: accepted.flatMap(({ nic }) => addressesOf(nic).map(ipOf)),
		paths,
		bases,
	}
}
