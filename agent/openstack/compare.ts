import type { AgentReport, InterfaceReport, Machine } from '../../contract/agent-run.ts'
import { cut } from '../../contract/conditions.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import type { Link } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import type { Warning } from '../model/warning.ts'
import type { MetadataQuery } from './metadata.ts'
import { mismatches, type OpenStackData } from './network-data.ts'

/** openstack/: what OpenStack reports about the ports of this VM. Neither delays a run nor makes it fail. */

type Warnings = ReadonlyMap<number, Warning>

/** What a run finds out without delaying any change: a description of its machine, and what OpenStack reports about the ports. */
export type OpenStackCheck = {
	/**
	 * Collects the differences from what OpenStack reports, and ends the query.
	 *
	 * @param links of the host
	 */
	collect(links: readonly Link[]): Promise<void>
	/** Returns the report with everything found so far. */
	addTo(report: AgentReport): Promise<AgentReport>
	/** Ends a query that is still in progress. */
	end(): void
}

/** The two queries to a host. */
export type QueriedHost = {
	/** Never rejects. */
	machine(): Promise<Machine>
	/** Starts to query OpenStack, if the host appears to be an OpenStack VM. */
	metadata(): MetadataQuery
}

/** Starts both queries. They never fail. */
export function startOpenStackCheck(host: QueriedHost, wanted: readonly WantedInterface[], log: Log): OpenStackCheck {
	const machine = host.machine()
	const metadata = wanted.length > 0 ? host.metadata() : undefined
	let warnings: Warnings = new Map()
	return {
		collect: async links => {
			const result = await metadata?.end()
			if (result && 'data' in result) warnings = comparePorts(result.data, { wanted, links, log })
			else if (result) log.step('openstack', `not compared: ${result.unavailable}`)
		},
		addTo: async report => {
			const facts = await machine
			log.facts('machine', facts)
			return { ...report, machine: facts, interfaces: report.interfaces.map(nic => withWarning(nic, warnings)) }
		},
		end: () => void metadata?.end(),
	}
}

type Comparison = { wanted: readonly WantedInterface[]; links: readonly Link[]; log: Log }

function comparePorts(reported: OpenStackData, { wanted, links, log }: Comparison): Warnings {
	const found = mismatches(wanted, links, reported)
	if (!found) log.step('openstack', `not compared: the ${reported.source} lists no NIC of this host`)
	else if (found.size === 0) log.step('openstack', `the ${reported.source} reports the same values`)
	for (const { id, name } of wanted) {
		const warning = found?.get(id)
		if (warning) log.step('openstack', `${name}: ${warning.message}`)
	}
	return found ?? new Map()
}

function withWarning(nic: InterfaceReport, warnings: Warnings): InterfaceReport {
	const warning = warnings.get(nic.id)
	return warning ? { ...nic, warnings: [...nic.warnings, { ...warning, message: cut(warning.message) }] } : nic
}
