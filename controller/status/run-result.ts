import type { InterfaceReport } from '../../contract/agent-run.ts'
import { cut } from '../../contract/conditions.ts'
import { settle, type WantedInterface } from '../../contract/interface.ts'
import { ofInterface, ofRemoval } from '../../contract/interface-words.ts'
import type { InterfaceStatus, NodeConfigSpec, NodeConfigStatus, State } from '../../contract/node-config.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { Report } from '../model/report.ts'
import { validTime } from '../model/format.ts'

/** Derives the result in the status from a report. Pure. */

export type Result = {
	state: State
	reason: Reason
	message: string
	interfaceStatuses: InterfaceStatus[]
}

/** Compares a report with the desired interfaces, matched by MAC. An interface that is missing in the report has failed. */
export function resultOf(report: Report, spec: NodeConfigSpec, before: NodeConfigStatus): Result {
	const interfaceStatuses = settle(spec.interfaces).map(nic => interfaceResult(nic, report, before))
	if (report.mode === 'Plan') return { state: 'Pending', reason: 'Planned', message: planned(report), interfaceStatuses }
	const failed = interfaceStatuses.filter(nic => nic.status !== 'Configured')
	if (report.outcome === 'Succeeded' && failed.length === 0) return { ...allDone(report, interfaceStatuses), interfaceStatuses }
	return { state: 'Failed', ...whatFailed(report, failed, interfaceStatuses.length), interfaceStatuses }
}

/** Returns every desired interface with the same state, for use without a report; known facts about each interface are kept. */
export function allInterfaces(spec: NodeConfigSpec, how: Pick<InterfaceStatus, 'status' | 'reason' | 'message'>, before: NodeConfigStatus) {
	return settle(spec.interfaces).map(({ id, name, macAddress }): InterfaceStatus => {
		const { lastConfigured, observed } = previousStatus(macAddress, before) ?? {}
		return { id, name, macAddress, ...how, ...(lastConfigured && { lastConfigured }), ...(observed && { observed }) }
	})
}

function interfaceResult({ id, name, macAddress }: WantedInterface, report: Report, before: NodeConfigStatus): InterfaceStatus {
	const reported = report.interfaces.find(nic => nic.macAddress.toLowerCase() === macAddress)
	const previous = previousStatus(macAddress, before)
	const lastConfigured = reported ? configuredAt(reported, report, previous) : previous?.lastConfigured
	const common = { id, name, macAddress, ...(lastConfigured && { lastConfigured }) }
	if (!reported) return { ...common, status: 'Failed', reason: 'RunFailed', message: 'the run did not report on this interface' }
	const { state, reason, message, warnings, observed } = reported
	const text = [message, ...warnings.map(warning => `${warning.reason}: ${warning.message}`)].filter(Boolean).join('; ')
	return { ...common, status: state, reason, message: cut(text), ...(observed && { observed }) }
}

/** An interface that needed no change keeps the time at which it was configured. */
function configuredAt(reported: InterfaceReport, report: Report, previous: InterfaceStatus | undefined): string | undefined {
	if (reported.state !== 'Configured') return previous?.lastConfigured
	return (reported.changes === 0 && previous?.lastConfigured) || validTime(report.finished)
}

function previousStatus(macAddress: string, before: NodeConfigStatus): InterfaceStatus | undefined {
	return before.interfaceStatuses?.find(nic => nic.macAddress === macAddress)
}

function allDone({ changes }: Report, { length }: { length: number }): Pick<Result, 'state' | 'reason' | 'message'> {
	const made = changes === 0 ? 'no changes were needed' : `${changes} ${changes === 1 ? 'change' : 'changes'}`
	if (length === 0)
		return { state: 'Configured', reason: 'NoInterfaces', message: `No interfaces are requested and none are left: ${made}` }
	const all = length === 1 ? 'The interface is configured' : `All ${length} interfaces are configured`
	return { state: 'Configured', reason: 'AllInterfacesConfigured', message: `${all}: ${made}` }
}

function planned({ message }: Report): string {
	return cut(`Mode Plan: ${message}`)
}

/**
 * The reason of an interface is the overall reason only if all failures have that reason. If the run failed or was rolled back, the run's
 * own reason is the overall reason.
 */
function whatFailed(report: Report, failed: InterfaceStatus[], wanted: number): Pick<Result, 'reason' | 'message'> {
	if (report.outcome === 'RolledBack' || report.outcome === 'Failed' || failed.length === 0)
		return { reason: report.reason, message: report.message }
	const removals = report.notRemoved ?? []
	const causes = new Set([...failed, ...removals].map(nic => nic.reason))
	const rest = wanted - failed.length
	const others = rest > 0 ? ` The other ${rest === 1 ? 'interface is' : `${rest} interfaces are`} configured.` : ''
	const [only] = causes
	const reason = causes.size === 1 && only ? (only as Reason) : 'PartlyFailed'
	const all = [...failed.map(ofInterface), ...removals.map(ofRemoval)].join('; ')
	return { reason, message: `${all}.${others}`.replaceAll('..', '.') }
}
