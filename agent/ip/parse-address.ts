import * as z from 'zod'
import { type Address, ADDRESS_FLAGS } from '../model/address.ts'

/** Parses the addresses of `ip -N -j -d addr show`. */

const Int = z.coerce.number().int()
const FOREVER = 4_294_967_295
/** IFAPROT numbers; newer versions of `ip` print these protocols by name. */
const PROTOCOLS: Readonly<Record<string, number>> = { kernel_lo: 1, kernel_ra: 2, kernel_ll: 3 }

export const IpAddress = z.looseObject({
	family: z.string().default(''),
	local: z.string().optional(),
	address: z.string().optional(),
	prefixlen: Int.default(0),
	scope: Int.default(0),
	dynamic: z.boolean().optional(),
	dadfailed: z.boolean().optional(),
	deprecated: z.boolean().optional(),
	temporary: z.boolean().optional(),
	broadcast: z.string().optional(),
	anycast: z.string().optional(),
	label: z.string().optional(),
	metric: Int.optional(),
	protocol: z.union([z.string(), z.number()]).optional(),
	valid_life_time: Int.optional(),
	preferred_life_time: Int.optional(),
})
type RawAddress = z.infer<typeof IpAddress>

/** All known keys of an address; an address with any other key cannot be restored. */
export const ADDRESS_KEYS: ReadonlySet<string> = new Set([
	...Object.keys(IpAddress.shape),
	...ADDRESS_FLAGS,
	// Derived by the kernel.
	...['secondary', 'tentative', 'permanent', 'stable-privacy', 'deleted'],
])

/**
 * @param name of the link, which is also the label of the address unless the address has another one
 * @returns undefined if the entry contains no address
 */
export function toAddress(raw: RawAddress, name: string): Address | undefined {
	const { family, local, prefixlen, dynamic, dadfailed, temporary, broadcast } = raw
	if (local === undefined) return undefined
	const isFour = family !== 'inet6'
	return {
		family: isFour ? 4 : 6,
		cidr: `${local}/${prefixlen}`,
		global: !(isFour ? local.startsWith('169.254.') : /^fe[89ab]/.test(local)),
		dynamic: dynamic ?? false,
		...(dadfailed && { duplicate: true }),
		...(temporary && { temporary: true }),
		...(broadcast !== undefined && { broadcast }),
		...lifetimes(raw),
		...rarities(raw, name, isFour),
	}
}

/** If an IPv4 address is valid forever, only `deprecated` shows that it is not preferred. */
function lifetimes({ valid_life_time: valid = FOREVER, preferred_life_time = valid, deprecated }: RawAddress) {
	const preferred = deprecated ? 0 : preferred_life_time
	return { ...(valid !== FOREVER && { validSeconds: valid }), ...(preferred !== valid && { preferredSeconds: preferred }) }
}

function rarities(raw: RawAddress, name: string, isFour: boolean): Partial<Address> {
	const { address, anycast, scope, label, metric, protocol } = raw
	const flags = ADDRESS_FLAGS.filter(flag => raw[flag] === true)
	return {
		...(address !== undefined && { peer: address }),
		...(anycast !== undefined && { anycast }),
		...(isFour && scope !== 0 && { scope }),
		...(label !== undefined && label !== name && { label }),
		...(metric !== undefined && { metric }),
		...(flags.length > 0 && { flags }),
		...(protocol !== undefined && { protocol: PROTOCOLS[protocol] ?? Number(protocol) }),
	}
}
