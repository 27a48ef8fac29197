import fc from 'fast-check'

/**
 * Everything that a link can have according to ip-address(8), ip-route(8), ip-neighbour(8) and ip-nexthop(8), as lines for `ip -batch`. The
 * kernel rejects some of them.
 */

const DEV = 'dev ens0'

/** An optional part of a line. */
const perhaps = (arbitrary: fc.Arbitrary<string>) => fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary })
const word = (...words: string[]) => perhaps(fc.constantFrom(...words))
const number = (name: string, ...numbers: number[]) => word(...numbers.map(one => `${name} ${one}`))
const line = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map(words => words.filter(Boolean).join(' '))
const always = (words: string) => fc.constant(words)

const byte = fc.integer({ min: 1, max: 6 })
const four = fc.tuple(byte, byte).map(([a, b]) => `10.${a}.0.${b}`)
/** Outside the networks of the addresses: the order of two addresses decides which of two overlapping routes the kernel creates. */
const peer = fc.tuple(byte, byte).map(([a, b]) => `172.${a}.0.${b}`)
const six = fc.tuple(byte, byte).map(([a, b]) => `fd0${a}::${b}`)
const linkLocal = byte.map(n => `fe80::${n}`)
const lifetime = word('valid_lft 3000 preferred_lft 3000', 'valid_lft 3000 preferred_lft 1000', 'valid_lft 4000 preferred_lft 0')

const address4 = fc.oneof(
	line(
		fc.tuple(four, fc.constantFrom(8, 24, 24, 24, 31, 32)).map(([ip, length]) => `addr add ${ip}/${length}`),
		always(DEV),
		word('brd +', 'brd 10.9.9.255'),
		word('scope link', 'scope host', 'scope 100'),
		word('label ens0:a', 'label ens0:vip'),
		number('metric', 50, 200),
		word('noprefixroute'),
		lifetime,
	),
	line(
		fc.tuple(four, peer, fc.constantFrom(30, 32)).map(([ip, other, length]) => `addr add ${ip} peer ${other}/${length}`),
		always(DEV),
		number('metric', 50),
		word('noprefixroute'),
	),
)
const address6 = line(
	fc.tuple(fc.oneof(six, six, linkLocal), fc.constantFrom(48, 64, 64, 64, 127, 128)).map(([ip, length]) => `addr add ${ip}/${length}`),
	always(DEV),
	number('metric', 50, 2_000),
	word('nodad'),
	word('home'),
	word('mngtmpaddr'),
	word('noprefixroute'),
	lifetime,
)

const to4 = fc.oneof(
	fc.tuple(byte, fc.constantFrom(16, 24, 32)).map(([n, length]) => `10.10${n}.0.0/${length}`),
	always('default'),
)
const to6 = fc.oneof(
	fc.tuple(byte, fc.constantFrom(32, 64, 128)).map(([n, length]) => `fd1${n}::/${length}`),
	always('default'),
)
const metrics = line(
	number('mtu', 1400, 1300),
	word('mtu lock 1350'),
	number('advmss', 1300),
	word('rtt 300ms', 'rtt 20ms', 'rto_min 200ms'),
	number('hoplimit', 12),
	word('quickack 1'),
	word('congctl cubic', 'congctl lock reno'),
	word('features ecn'),
	number('window', 1000),
	number('initcwnd', 20),
	number('initrwnd', 30),
)
const shared = [number('table', 77, 300), number('metric', 50, 700), word('proto dhcp', 'proto static', 'proto bird', 'proto 99')]

const hop4 = line(
	four.map(ip => `nexthop via ${ip}`),
	always(DEV),
	number('weight', 1, 3, 256),
	word('onlink'),
)
const route4 = fc.oneof(
	line(
		to4.map(to => `route add ${to}`),
		perhaps(four.map(ip => `via ${ip}`)),
		always(DEV),
		...shared,
		word('scope link', 'scope host'),
		perhaps(four.map(ip => `src ${ip}`)),
		word('onlink'),
		word('realms 7', 'realms 3/7'),
		word('tos 0x10'),
		metrics,
	),
	line(
		to4.map(to => `route add ${to}`),
		six.map(ip => `via inet6 ${ip}`),
		always(DEV),
		word('onlink'),
	),
	line(
		to4.map(to => `route add ${to}`),
		...shared,
		fc.array(hop4, { minLength: 2, maxLength: 3 }).map(hops => hops.join(' ')),
	),
	line(
		to4.map(to => `route add ${to} encap ip id 7 dst 10.1.0.9`),
		word('src 10.1.0.5'),
		number('ttl', 16, 64),
		word('tos 0x10', 'tos 0xb8'),
		word('key', 'csum'),
		always(DEV),
	),
	line(
		fc.tuple(fc.constantFrom('local', 'broadcast', 'multicast'), to4).map(([type, to]) => `route add ${type} ${to}`),
		always(`${DEV} table 77`),
		word('proto static'),
	),
	line(
		to4.map(to => `route add ${to}`),
		always('nhid 4'),
		...shared,
	),
)
const route6 = fc.oneof(
	line(
		to6.map(to => `-6 route add ${to}`),
		perhaps(fc.oneof(six, linkLocal).map(ip => `via ${ip}`)),
		always(DEV),
		...shared,
		perhaps(six.map(ip => `src ${ip}`)),
		word('onlink'),
		word('pref low', 'pref high'),
		word('expires 3000'),
		word('from fd20::/48'),
		metrics,
	),
	line(
		to6.map(to => `-6 route add ${to} encap ip6 id 7 dst fd01::9`),
		number('hoplimit', 16, 64),
		word('tc 0x10', 'tc 0xb8'),
		always(DEV),
	),
	line(
		to6.map(to => `-6 route add ${to}`),
		...shared,
		fc
			.array(
				line(
					six.map(ip => `nexthop via ${ip}`),
					always(DEV),
					number('weight', 1, 5),
				),
				{ minLength: 2, maxLength: 3 },
			)
			.map(hops => hops.join(' ')),
	),
	line(
		to6.map(to => `-6 route add ${to}`),
		fc.constantFrom('nhid 6', 'nhid 9'),
		...shared,
	),
)

const neighbour = fc.oneof(
	line(
		fc
			.tuple(fc.oneof(four, six, linkLocal), fc.constantFrom('permanent', 'noarp'))
			.map(([ip, state]) => `neigh add ${ip} lladdr 02:00:00:00:00:99 ${DEV} nud ${state}`),
		word('router'),
		word('extern_learn'),
		word('protocol 42'),
	),
	line(
		fc.oneof(four, six).map(ip => `neigh add proxy ${ip} ${DEV}`),
		word('protocol 42'),
	),
)
/** In this order, because the last objects are groups of earlier ones. */
const nextHopObjects = fc.subarray([
	`nexthop add id 4 via 10.1.0.5 ${DEV} onlink`,
	`nexthop add id 5 via 10.2.0.5 ${DEV}`,
	`-6 nexthop add id 6 ${DEV} proto 99`,
	`nexthop add id 7 via fd01::5 ${DEV}`,
	'nexthop add id 8 group 4,3/5',
	'nexthop add id 9 group 6/7',
])

/** @returns lines that add a random selection of these to a link, in an order that the kernel accepts */
export const anyLink: fc.Arbitrary<string[]> = fc
	.tuple(
		fc.array(address4, { maxLength: 4 }),
		fc.array(address6, { maxLength: 4 }),
		nextHopObjects,
		fc.array(route4, { maxLength: 5 }),
		fc.array(route6, { maxLength: 5 }),
		fc.array(neighbour, { maxLength: 3 }),
	)
	.map(kinds => kinds.flat())
