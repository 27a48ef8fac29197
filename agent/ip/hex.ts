/**
 * @returns a number in a form that every `ip` command accepts: `ip` reads a DS field as hexadecimal, with or without 0x. @see
 *   rtnl_dsfield_a2n of iproute2
 */
export function hex(value: number): string {
	return `0x${value.toString(16)}`
}
