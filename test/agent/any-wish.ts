import fc from 'fast-check'
import type { Interface } from '../../contract/interface.ts'

/**
 * Any desired config of a node: ids, addresses of both families, prefix lengths, next hops inside and outside the networks of the NIC, all
 * kinds of routes.
 */

const none = { nil: undefined }
const choices = {
	mtu: fc.option(fc.constantFrom(1_200, 1_280, 1_400, 9_000), none),
	main: fc.constantFrom('four', 'four', 'alone', 'six', 'nothing'),
	last: fc.constantFrom(23, 24),
	more: fc.subarray(['sameNetwork', 'otherNetwork', 'six', 'otherSix'] as const),
	gateway: fc.constantFrom('none', 'near', 'far'),
	defaultRoute: fc.boolean(),
	policyRouting: fc.boolean(),
	routes: fc.uniqueArray(
		fc.record({
			number: fc.nat({ max: 2 }),
			six: fc.boolean(),
			via: fc.constantFrom('none', 'near', 'far'),
			metric: fc.option(fc.constantFrom(0, 50, 1_024), none),
			table: fc.option(fc.constantFrom(254, 500), none),
		}),
		{ maxLength: 3, selector: ({ number, six }) => `${number} ${six}` },
	),
}
type Chosen = { [key in keyof typeof choices]: (typeof choices)[key] extends fc.Arbitrary<infer T> ? T : never }

/** @returns at most `most` desired interfaces, each for one of these MACs */
export function anyWish(macs: readonly string[], most: number): fc.Arbitrary<Partial<Interface>[]> {
	const ids = fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: most })
	return fc
		.tuple(ids, fc.shuffledSubarray([...macs], { minLength: macs.length }), fc.infiniteStream(fc.record(choices)))
		.map(([wanted, order, stream]) =>
			wanted.slice(0, order.length).map((id, at) => interfaceOf(id, order[at] ?? '', stream.next().value as Chosen)),
		)
}

function interfaceOf(id: number, macAddress: string, chosen: Chosen): Partial<Interface> {
	const { mtu, main, more, defaultRoute, policyRouting, routes } = chosen
	const addresses = more.map(kind => further(id)[kind])
	const families = new Set([
		...(main === 'nothing' ? [] : [main === 'six' ? 6 : 4]),
		...addresses.map(cidr => (cidr.includes(':') ? 6 : 4)),
	])
	return {
		id,
		macAddress,
		defaultRoute,
		policyRouting,
		// IPv6 needs 1280 bytes.
		...(mtu !== undefined && !(mtu < 1_280 && families.has(6)) && { mtu }),
		...mainOf(id, chosen),
		...gatewayOf(id, chosen),
		...(addresses.length > 0 && { addresses }),
		// Omits routes of a family without an address on the NIC: only one backend can persist them.
		routes: routes.filter(({ six }) => families.has(six ? 6 : 4)).map(route => routeOf(id, route)),
	}
}

function further(id: number) {
	return {
		sameNetwork: `10.0.${id}.40/24`,
		otherNetwork: `10.1.${id}.5/28`,
		six: `fd00:${id}::23/64`,
		otherSix: `fd01:${id}::5/128`,
	}
}

function mainOf(id: number, { main, last }: Chosen): Partial<Interface> {
	if (main === 'nothing') return {}
	if (main === 'six') return { address: `fd00:${id}::${last}`, cidr: `fd00:${id}::/64` }
	return { address: `10.0.${id}.${last}`, cidr: main === 'alone' ? `10.0.${id}.${last}/32` : `10.0.${id}.0/24` }
}

function gatewayOf(id: number, { main, gateway }: Chosen): Partial<Interface> {
	if (gateway === 'none' || main === 'nothing') return {}
	if (main === 'six') return { gateway: gateway === 'near' ? `fd00:${id}::1` : `fd99:${id}::1` }
	return { gateway: gateway === 'near' ? `10.0.${id}.1` : `10.99.${id}.1` }
}

function routeOf(id: number, { number, six, via, metric, table }: Chosen['routes'][number]) {
	const hops = six ? { near: `fd00:${id}::7`, far: `fd98:${id}::7` } : { near: `10.0.${id}.7`, far: `10.98.${id}.7` }
	return {
		to: six ? `fd5${id}:${number}::/48` : `10.${100 + id}.${number}.0/24`,
		...(via !== 'none' && { via: hops[via] }),
		...(metric !== undefined && { metric }),
		...(table !== undefined && { table }),
	}
}
