import type { Proof } from '../host/prove.ts'
import type { Plan } from '../plan/plan.ts'

/** Why it makes no sense to ask whether what is on the host now would be there after a reboot. */
export function unprovable({ steps, accepted, refused }: Plan, dry: boolean): string | undefined {
	if (dry && steps.length > 0) return 'that is asked once the changes are made'
	if (accepted.length === 0 && refused.length > 0) return 'no interface is configured'
}

/** @returns what is said of a reboot where it was not asked */
export function unproven(message: string): Proof {
	return { persistent: { status: 'Unknown', message }, warnings: new Map() }
}

/** @returns `yes`, or `no` or `unknown` and why */
export function rebootWords({ persistent: { status, message } }: Proof): string {
	return status === 'True' ? 'yes' : `${status === 'False' ? 'no' : 'unknown'}, ${message}`
}
