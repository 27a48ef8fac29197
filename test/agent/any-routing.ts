import fc from 'fast-check'

/**
 * Hosts for route lookups: links with addresses, all kinds of routes in several tables, rules with all selectors, as lines for `ip -batch`.
 */

export type Routing = { lines: string[]; six: string[] }

const octet = fc.nat({ max: 3 })
const network = fc
	.tuple(octet, octet, fc.constantFrom(8, 12, 16, 20, 24, 26, 30, 32))
	.map(([a, b, length]) => masked(`10.${a}.${b}.0`, length))
const network6 = fc
	.tuple(octet, octet, fc.constantFrom(16, 32, 48, 64, 128))
	.map(([a, b, length]) =>
		length <= 16
			? 'fd00::/16'
			: length <= 32
				? `fd00:${a}::/32`
				: length <= 48
					? `fd00:${a}:${b}::/48`
					: length <= 64
						? `fd00:${a}:${b}::/64`
						: `fd00:${a}:${b}::9/128`,
	)
const link = fc.constantFrom('mgmt', 'up1', 'br0', 'ens0')
const table = fc.constantFrom(254, 254, 77, 78, 100, 253)

const route = (any: fc.Arbitrary<string>) =>
	fc
		.record({
			to: fc.oneof({ weight: 4, arbitrary: any }, { weight: 1, arbitrary: fc.constant('default') }),
			how: fc.constantFrom('dev', 'dev', 'dev', 'blackhole', 'unreachable', 'prohibit', 'throw', 'several'),
			link,
			table,
			metric: fc.constantFrom(0, 0, 50, 200),
		})
		.map(({ to, how, link, table, metric }) => {
			const more = `table ${table}${metric ? ` metric ${metric}` : ''}`
			if (how === 'dev') return `route add ${to} dev ${link} ${more}`
			if (how === 'several') return `route add ${to} ${more} nexthop dev mgmt nexthop dev up1`
			return `route add ${how} ${to} ${more}`
		})

const rule = (any: fc.Arbitrary<string>) =>
	fc
		.record({
			priority: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 32_765 }) }, { weight: 1, arbitrary: fc.constant(20_000) }),
			inverted: fc.boolean(),
			from: fc.option(any, { nil: undefined }),
			to: fc.option(any, { nil: undefined }),
			mark: fc.option(fc.constantFrom('0x1/0x1', '0x400/0xfff', '0x5'), { nil: undefined }),
			tos: fc.option(fc.constant('0x10'), { nil: undefined }),
			iif: fc.option(fc.constantFrom('lo', 'mgmt', 'br0'), { nil: undefined }),
			uids: fc.option(fc.constantFrom('1000-2000'), { nil: undefined }),
			protocol: fc.option(fc.constantFrom('tcp dport 443', 'udp sport 53', 'tcp'), { nil: undefined }),
			action: fc.constantFrom('lookup', 'lookup', 'lookup', 'suppress', 'suppressGroup', 'blackhole', 'goto 32766', 'goto 20000', 'nop'),
			table,
		})
		.map(({ priority, inverted, action, table, ...selectors }) => {
			const words = { from: '', to: '', mark: 'fwmark', tos: '', iif: '', uids: 'uidrange', protocol: 'ipproto' }
			const said = Object.entries(selectors).flatMap(([key, value]) =>
				value === undefined ? [] : [`${words[key as keyof typeof words] || key} ${value}`],
			)
			const does =
				(
					{
						lookup: `lookup ${table}`,
						suppress: `lookup ${table} suppress_prefixlength 8`,
						suppressGroup: `lookup ${table} suppress_ifgroup 7`,
					} as Record<string, string>
				)[action] ?? action
			return ['rule add', ...(inverted && said.length > 0 ? ['not'] : []), ...said, `priority ${priority}`, does].join(' ')
		})

/** @returns routes and rules of a host, at most `most` of each kind */
export function anyRouting(most = 8): fc.Arbitrary<Routing> {
	const options = { maxLength: most }
	return fc
		.tuple(
			fc.array(route(network), options),
			fc.array(rule(network), options),
			fc.array(route(network6), options),
			fc.array(rule(network6), options),
		)
		.map(([routes, rules, routes6, rules6]) => ({ lines: [...routes, ...rules], six: [...routes6, ...rules6] }))
}

/** Packets that such a host may send or forward. */
export function anyPacket(links: Readonly<Record<string, number>>): fc.Arbitrary<{ six: boolean; packet: PacketChoice }> {
	return fc.record({
		six: fc.boolean(),
		packet: fc.record({
			to: fc.tuple(octet, octet, fc.constantFrom(2, 9, 33, 200)),
			from: fc.constantFrom('none', 'mgmt', 'up1', 'passing'),
			iif: fc.constantFrom(links.mgmt ?? 0, links.br0 ?? 0),
			mark: fc.option(fc.constantFrom(1, 0x400, 5), { nil: undefined }),
			tos: fc.option(fc.constantFrom(0x10, 0x8), { nil: undefined }),
			uid: fc.option(fc.constantFrom(500, 1500), { nil: undefined }),
			flow: fc.option(fc.constantFrom({ protocol: 6, dport: 443, sport: 9 }, { protocol: 17, sport: 53, dport: 9 }, { protocol: 6 }), {
				nil: undefined,
			}),
		}),
	})
}
export type PacketChoice = {
	to: readonly [number, number, number]
	from: string
	iif: number
	mark: number | undefined
	tos: number | undefined
	uid: number | undefined
	flow: { protocol: number; sport?: number; dport?: number } | undefined
}

function masked(ip: string, length: number): string {
	const value = ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
	const kept = length === 0 ? 0 : Math.floor(value / 2 ** (32 - length)) * 2 ** (32 - length)
	return `${[24, 16, 8, 0].map(shift => Math.floor(kept / 2 ** shift) % 256).join('.')}/${length}`
}
