/** IP address arithmetic on strings. It does not use node:net, because pure files do not import `node:`. */

export type Prefix = { family: 4 | 6; value: bigint; length: number }

/** @returns the family and the address as a number, or undefined if the string is not an IPv4 or IPv6 address */
export function parseIp(text: string): { family: 4 | 6; value: bigint } | undefined {
	const ip = readIp(text)
	return ip && isMapped(ip) ? undefined : ip
}

/** Whether an address is IPv4-mapped (::ffff:10.0.0.1). Kubernetes' isIP rejects it, but a kernel may have one. */
function isMapped({ family, value }: { family: 4 | 6; value: bigint }): boolean {
	return family === 6 && value >> 32n === 65535n
}

function readIp(text: string): { family: 4 | 6; value: bigint } | undefined {
	return text.includes(':') ? parseV6(text) : parseV4(text)
}

/** @returns whether two strings are the same address, in any notation */
export function isSameIp(one: string, other: string): boolean {
	const [a, b] = [parseIp(one), parseIp(other)]
	return a !== undefined && a.family === b?.family && a.value === b.value
}

/** Parses both `10.0.0.23/24` and `10.0.0.0/24`: the host bits are kept. */
export function parseCidr(text: string): Prefix | undefined {
	const prefix = readCidr(text)
	return prefix && isMapped(prefix) ? undefined : prefix
}

function readCidr(text: string): Prefix | undefined {
	const [address = '', length = '', ...rest] = text.split('/')
	const ip = readIp(address)
	if (!ip || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits(ip.family)) return undefined
	return { ...ip, length: Number(length) }
}

/** @returns whether the address is in the network of the CIDR, with or without host bits; also accepts IPv4-mapped addresses */
export function contains(cidr: string, address: string): boolean {
	if (!cidr.includes(':') && !address.includes(':')) return containsV4(cidr, address)
	const network = readCidr(cidr)
	const ip = readIp(address)
	if (!network || ip?.family !== network.family) return false
	const shift = BigInt(bits(network.family) - network.length)
	return ip.value >> shift === network.value >> shift
}

/** @returns whether the networks overlap, so that one contains the other */
export function overlap(one: string, other: string): boolean {
	return contains(one, ipOf(other)) || contains(other, ipOf(one))
}

/** @returns whether `inner` is in `outer`, or equal to it */
export function isInside(inner: string, outer: string): boolean {
	return contains(outer, ipOf(inner)) && lengthOf(outer) <= lengthOf(inner)
}

/** @returns the address without its prefix length */
export function ipOf(cidr: string): string {
	return cidr.slice(0, cidr.indexOf('/'))
}

/** @returns the prefix length */
export function lengthOf(cidr: string): number {
	return Number(cidr.slice(cidr.indexOf('/') + 1))
}

/** @returns `10.0.0.0/24` for `10.0.0.23/24`; IPv6 in its shortest form */
export function networkOf(cidr: string): string {
	const four = prefixV4(cidr)
	if (four) return `${formatV4(firstOf(four.value, four.length))}/${four.length}`
	const prefix = readCidr(cidr)
	if (!prefix) throw new TypeError(`not a cidr: ${cidr}`)
	const shift = BigInt(bits(prefix.family) - prefix.length)
	return `${formatIp(prefix.family, (prefix.value >> shift) << shift)}/${prefix.length}`
}

/** @returns the address as the kernel prints it: dotted decimal for IPv4, RFC 5952 for IPv6 */
export function canonicalIp(text: string): string {
	if (dotted.test(text)) return text
	const ip = readIp(text)
	if (!ip) throw new TypeError(`not an IP address: ${text}`)
	return formatIp(ip.family, ip.value)
}

/** @returns the address plus `count` */
export function addressAfter(text: string, count: number): string {
	const ip = readIp(text)
	if (!ip) throw new TypeError(`not an IP address: ${text}`)
	return formatIp(ip.family, ip.value + BigInt(count))
}

/** @returns whether a host may have the address, as in CEL of Kubernetes: not unspecified, loopback, multicast or 255.255.255.255 */
export function isUnicast(text: string): boolean {
	const ip = parseIp(text)
	return ip !== undefined && !notUnicast[ip.family].some(cidr => contains(cidr, text))
}

const notUnicast = { 4: ['0.0.0.0/32', '127.0.0.0/8', '224.0.0.0/4', '255.255.255.255/32'], 6: ['::/128', '::1/128', 'ff00::/8'] } as const

/** @returns whether the address is the network or broadcast address; /31, /32, /127 and /128 have neither (RFC 3021, RFC 6164) */
export function isNetworkOrBroadcast(cidr: string): boolean {
	const prefix = parseCidr(cidr)
	if (!prefix) return false
	const hostBits = BigInt(bits(prefix.family) - prefix.length)
	const most = (1n << hostBits) - 1n
	const host = prefix.value & most
	return hostBits > 1n && (host === 0n || (prefix.family === 4 && host === most))
}

function bits(family: 4 | 6): number {
	return family === 4 ? 32 : 128
}

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const dotted = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`)

function parseV4(text: string) {
	const value = numberV4(text)
	return value === undefined ? undefined : { family: 4 as const, value: BigInt(value) }
}

/** Parses IPv4 without BigInt, because it is parsed very often. */
function numberV4(text: string): number | undefined {
	const octets = dotted.exec(text)
	return octets ? Number(octets[1]) * 16_777_216 + Number(octets[2]) * 65_536 + Number(octets[3]) * 256 + Number(octets[4]) : undefined
}

function prefixV4(cidr: string): { value: number; length: number } | undefined {
	const slash = cidr.indexOf('/')
	const value = slash === -1 ? undefined : numberV4(cidr.slice(0, slash))
	const length = cidr.slice(slash + 1)
	return value === undefined || !/^(\d|[12]\d|3[0-2])$/.test(length) ? undefined : { value, length: Number(length) }
}

function containsV4(cidr: string, address: string): boolean {
	const network = prefixV4(cidr)
	const value = numberV4(address)
	if (!network || value === undefined) return false
	return firstOf(value, network.length) === firstOf(network.value, network.length)
}

/** Returns the first address of the network with this prefix length that contains the address. */
function firstOf(value: number, length: number): number {
	const size = 2 ** (32 - length)
	return Math.floor(value / size) * size
}

function formatV4(value: number): string {
	return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/** Parses IPv6 without a zone. */
function parseV6(text: string) {
	const value = groupsOf(withoutDots(text))?.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
	return value === undefined ? undefined : { family: 6 as const, value }
}

/** Converts `::10.0.0.1` to `::a00:1`; returns any other string unchanged. */
function withoutDots(text: string): string {
	const [, head, tail = ''] = /^(.*:)([^:]+)$/.exec(text) ?? []
	const ip = parseV4(tail)
	return head === undefined || !ip ? text : `${head}${(ip.value >> 16n).toString(16)}:${(ip.value & 65535n).toString(16)}`
}

/** @returns the eight groups of an IPv6 address, or undefined if it is invalid */
function groupsOf(text: string): string[] | undefined {
	const halves = text.split('::')
	if (halves.length > 2) return undefined
	const [head = [], tail = []] = halves.map(half => (half === '' ? [] : half.split(':')))
	const zeros = 8 - head.length - tail.length
	if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined
	const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail]
	return groups.every(group => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups : undefined
}

function formatIp(family: 4 | 6, value: bigint): string {
	if (family === 4) return formatV4(Number(value))
	if (isMapped({ family, value })) return `::ffff:${formatV4(Number(value & 0xffff_ffffn))}`
	const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 65535n).toString(16))
	const run = longestZeroRun(groups)
	if (run.length < 2) return groups.join(':')
	return `${groups.slice(0, run.start).join(':')}::${groups.slice(run.start + run.length).join(':')}`
}

function longestZeroRun(groups: string[]) {
	let best = { start: 0, length: 0 }
	let current = best
	for (const [i, group] of groups.entries()) {
		current = group !== '0' ? { start: i + 1, length: 0 } : { start: current.start, length: current.length + 1 }
		if (current.length > best.length) best = current
	}
	return best
}
