import * as z from 'zod'
import { parseCidr, parseIp } from './ip.ts'

/** What the kernel, OpenStack and people write in one form, parsed once. Lengths are bounded for the cost of CEL rules. */

export const Mac = z
	.string()
	.max(17)
	.regex(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/, 'must be a MAC address such as fa:16:3e:37:c3:f1')
	.toLowerCase()
	.describe('MAC address; either case is accepted, compared as lower case')

export const Ip = z
	.string()
	.max(45)
	.refine(text => parseIp(text) !== undefined, 'must be an IPv4 or IPv6 address')

export const Cidr = z
	.string()
	.max(49)
	.refine(text => parseCidr(text) !== undefined, 'must be an address with a prefix length, such as 10.0.0.0/24')

export const Mtu = z.int().min(68).max(65_535)

/** A Kubernetes object name (RFC 1123 subdomain), as nodes have. */
export const NodeName = z
	.string()
	.min(1)
	.max(253)
	.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a Kubernetes node name: lower-case letters, digits, "-" and "."')

/** An opaque id of another system; it becomes a label value, which ends at 63 characters. */
export const Id = z
	.string()
	.max(63)
	.regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, 'must be usable as a label value: letters, digits, "-", "_" and "."')

export const Timestamp = z.string().max(40).meta({ format: 'date-time' })
