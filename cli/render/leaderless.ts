import { CONTROLLER_LEASE } from '../../contract/names.ts'
import { ageOf } from './age.ts'

/** The text for a cluster in which no controller runs, for example after an uninstall, or if the controller cannot start. Pure. */

/** `renewed`: when the leading controller last renewed its Lease; empty: there is no leader; undefined: not known. */
export type Leader = { renewed: string | undefined; namespace: string; now: number }

/** Time without a renewal after which no controller is considered running, in milliseconds; long, because clocks of machines may differ. */
const silentMs = 120_000

/** @returns why nothing happens until a controller runs; empty if a controller runs, or if that is not known */
export function leaderlessWords({ renewed, namespace, now }: Leader): string {
	const show = `kubectl get pods -n ${namespace} -l app.kubernetes.io/name=multinic-controller`
	if (renewed === '') return `no controller holds Lease ${CONTROLLER_LEASE}; check that it is running: ${show}`
	if (renewed === undefined || !(now - Date.parse(renewed) >= silentMs)) return ''
	return `Lease ${CONTROLLER_LEASE} was renewed ${ageOf(renewed, now)} ago; check that the controller is running: ${show}`
}
