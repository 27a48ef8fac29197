/** @returns a number as every `ip` command reads it: a DS field is hexadecimal, with or without 0x. @see rtnl_dsfield_a2n of iproute2 */
export function hex(value: number): string {
	return `0x${value.toString(16)}`
}
