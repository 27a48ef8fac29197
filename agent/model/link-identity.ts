import type { Link } from './host-state.ts'

/** @returns the MAC that identifies a link: its permanent one, or else its current one */

export function identityOf({ permanentMac, mac }: Link): string {
	return permanentMac ?? mac
}
