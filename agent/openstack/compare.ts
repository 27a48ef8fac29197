import type { AgentReport, InterfaceReport, Machine } from '../../contract/agent-run.ts'
import { cut } from '../../contract/conditions.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import type { Link } from '../model/host-state.ts'
import type { Log } from '../model/run-log.ts'
import type { Warning } from '../model/warning.ts'
import type { Metadata } from './metadata.ts'
import { mismatches, type Told } from './network-data.ts'

type Warnings = ReadonlyMap<number, Warning>

/** What a run finds out without delaying any change: the machine that it runs on, and what OpenStack reports about its ports. */
export type Beside = {
	/**
	 * Collects the differences that OpenStack reports, and ends the query.
	 *
	 * @param links of the host
	 */
	hear(links: readonly Link[]): Promise<void>
	/** Returns the report with everything found so far. */
	complete(report: AgentReport): Promise<AgentReport>
	/** Ends what is still in progress. */
	end(): void
}

/** What the two queries read from a host. */
export type QueriedHost = {
	/** Never rejects. */
	machine(): Promise<Machine>
	/** Starts to query OpenStack, if there is one. */
	metadata(): Metadata
}

/** Starts both queries. They never fail. */
export function lookBeside(host: QueriedHost, wanted: readonly WantedInterface[], log: Log): Beside {
	const machine = host.machine()
	const metadata = wanted.length > 0 ? host.metadata() : undefined
	let warnings: Warnings = new Map()
	return {
		hear: async links => {
			const heard = await metadata?.end()
			if (heard && 'told' in heard) warnings = judge(heard.told, { wanted, links, log })
			else if (heard) log.tell('openstack', `not compared: ${heard.silent}`)
		},
		complete: async report => {
			const facts = await machine
			log.facts('machine', facts)
			return { ...report, machine: facts, interfaces: report.interfaces.map(nic => withWarning(nic, warnings)) }
		},
		end: () => void metadata?.end(),
	}
}

type Compared = { wanted: readonly WantedInterface[]; links: readonly Link[]; log: Log }

function judge(told: Told, { wanted, links, log }: Compared): Warnings {
	const found = mismatches(wanted, links, told)
	if (!found) log.tell('openstack', `not compared: the ${told.source} lists no NIC of this host`)
	else if (found.size === 0) log.tell('openstack', `the ${told.source} agrees`)
	for (const { id, name } of wanted) {
		const warning = found?.get(id)
		if (warning) log.tell('openstack', `${name}: ${warning.message}`)
	}
	return found ?? new Map()
}

function withWarning(nic: InterfaceReport, warnings: Warnings): InterfaceReport {
	const warning = warnings.get(nic.id)
	return warning ? { ...nic, warnings: [...nic.warnings, { ...warning, message: cut(warning.message) }] } : nic
}
