import * as z from 'zod'
import { celForHostAddress, notForHosts } from './interface-rules.ts'
import { isNetworkOrBroadcast, isUnicast, parseCidr, parseIp } from './ip.ts'

/**
 * Values that the kernel, OpenStack and users write in the same form, each parsed in one place. Lengths are bounded to limit the cost of
 * CEL rules.
 */

const IP_MAX = 45
const CIDR_MAX = 49
const UNICAST = 'an IPv4 or IPv6 unicast address: not unspecified, loopback, multicast, broadcast or IPv4-mapped'

export const Mac = z
	.string()
	.max(17)
	.regex(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/, 'must be a MAC address such as fa:16:3e:37:c3:f1')
	.toLowerCase()
	.describe('MAC address; either case is accepted, compared as lower case')

export const Ip = z
	.string()
	.max(IP_MAX)
	.refine(text => parseIp(text) !== undefined, 'must be an IPv4 or IPv6 address')

/** An address that a host may have: the address of an interface, or a next hop. */
export const HostIp = ruled(IP_MAX, [
	{
		message: `must be ${UNICAST}`,
		cel: `isIP(self) && ${unicastCel('ip(self)')}`,
		holds: isUnicast,
	},
])

/** Any network, with or without host bits. */
export const Cidr = ruled(CIDR_MAX, [
	{
		message: 'must be an address with a prefix length, such as 10.0.0.0/24',
		cel: 'isCIDR(self)',
		holds: text => parseCidr(text) !== undefined,
	},
])

/** The network of an interface, or the address of the interface with its prefix length. */
export const OwnCidr = ruled(CIDR_MAX, [
	{
		message: 'must be an address with a prefix length of 1 or more, such as 10.0.0.0/24',
		cel: 'isCIDR(self) && cidr(self).prefixLength() > 0',
		holds: hasPrefix,
	},
])

/** An additional address of an interface, with its prefix length. */
export const HostCidr = ruled(CIDR_MAX, [
	{
		message: `must be ${UNICAST}; with a prefix length of 1 or more, such as 10.0.0.23/24`,
		cel: `isCIDR(self) && cidr(self).prefixLength() > 0 && ${unicastCel('cidr(self).ip()')}`,
		holds: text => hasPrefix(text) && isUnicast(text.replace(/\/.*$/, '')),
	},
	{
		message: notForHosts,
		cel: `!isCIDR(self) || ${celForHostAddress('self', "self.substring(0, self.indexOf('/'))")}`,
		holds: text => !isNetworkOrBroadcast(text),
	},
])

type TextRule = { message: string; cel: string; holds: (text: string) => boolean }

/** Returns a schema of a string whose rules the API server also checks. Only the first violated rule is reported. */
function ruled(max: number, rules: readonly TextRule[]) {
	return z
		.string()
		.max(max)
		.superRefine((text, ctx) => {
			const broken = rules.find(({ holds }) => !holds(text))
			if (broken) ctx.addIssue({ code: 'custom', message: broken.message })
		})
		.meta({ 'x-kubernetes-validations': rules.map(({ message, cel }) => ({ rule: cel, message })) })
}

function hasPrefix(text: string): boolean {
	return (parseCidr(text)?.length ?? 0) > 0
}

/** Returns the rule of `isUnicast` in CEL. */
function unicastCel(ip: string): string {
	return `(${ip}.isGlobalUnicast() || ${ip}.isLinkLocalUnicast())`
}

export const Mtu = z.int().min(68).max(65_535)

/** The name of a Kubernetes node (RFC 1123 subdomain). */
export const NodeName = z
	.string()
	.min(1)
	.max(253)
	.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a Kubernetes node name: lower-case letters, digits, "-" and "."')

/** A node name in a request. Upper-case letters are accepted, because OpenStack keeps the case of VM names. */
export const SentNodeName = z
	.string()
	.min(1)
	.max(253)
	.regex(/^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/, 'must be a Kubernetes node name: letters, digits, "-" and "."')
	.toLowerCase()

/** An opaque id from another system. It becomes a label value, so it has at most 63 characters. */
export const Id = z
	.string()
	.max(63)
	.regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 'must be usable as a label value: letters, digits, "-", "_" and "."')

export const Timestamp = z.string().max(40).meta({ format: 'date-time' })
