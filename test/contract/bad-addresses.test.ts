import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../agent/config.ts'
import { type Interface, Interfaces } from '../../contract/interface.ts'
import { contains, isNetworkOrBroadcast, isUnicast, networkOf, parseIp } from '../../contract/ip.ts'
import { NodeConfigList, NodeConfigRequest } from '../../contract/viola-api.ts'
import { readSpec } from '../../controller/model/read-spec.ts'
import { addressCases } from './bad-addresses.ts'

/** Wrong addresses at every entry point except the API server (crds.cluster.test.ts has the same cases there). */

const doors: readonly [door: string, said: (nic: Partial<Interface>) => string | undefined][] = [
	['viola', nic => issuesOf(NodeConfigRequest.safeParse({ nodeName: 'worker-1', interfaces: [nic] }).error?.issues)],
	[
		'the controller',
		nic => {
			const { spec } = readSpec({ nodeName: 'worker-1', interfaces: [nic] })
			return 'fault' in spec ? spec.fault.replaceAll('spec.', '') : undefined
		},
	],
	[
		'the agent',
		nic => {
			try {
				parseConfig(JSON.stringify({ ...run, interfaces: [nic] }), 'config.json')
				return undefined
			} catch (error) {
				return String(error)
			}
		},
	],
]
const run = {
	version: 1,
	...{ nodeName: 'worker-1', uid: 'uid-1', generation: 1, attempt: 1, mode: 'Apply' },
	report: { namespace: 'ns', configMap: 'run' },
	...{ nodeAddresses: [], waitForDeviceSeconds: 5, commitTimeoutSeconds: 120 },
}

describe.each(doors)('%s', (_, said) => {
	test.each(addressCases.map(([title, nic, field, words = '']) => [title, nic, field, words] as const))('%s', (_, nic, field, words) => {
		if (field === undefined) expect(said(nic)).toBeUndefined()
		else expect(said(nic)).toMatch(new RegExp(`interfaces\\[0\\]\\.${escaped(field)}: .*${escaped(words)}`))
	})
})

test('node configs that were stored before a rule existed are still read from viola, so that one does not hide the others', () => {
	const items = addressCases.map(([, nic], at) => ({
		...{ nodeName: `worker-${at}`, deleting: false, generation: 1, resourceVersion: '1' },
		interfaces: [nic],
	}))
	expect(NodeConfigList.parse({ items }).items.map(({ interfaces }) => interfaces)).toEqual(addressCases.map(([, nic]) => [nic]))
})

test('only the first address of a network, and the last one of an IPv4 network, is a network or broadcast address', () => {
	const cidr = fc.oneof(
		fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })),
		fc.tuple(
			fc.ipV6().filter(ip => parseIp(ip) !== undefined),
			fc.integer({ min: 1, max: 128 }),
		),
	)
	fc.assert(
		fc.property(cidr, fc.constantFrom('any', 'first', 'last'), ([ip, length], which) => {
			const { family, value } = parseIp(ip) ?? { family: 4, value: 0n }
			const size = 1n << BigInt((family === 4 ? 32 : 128) - length)
			const first = value - (value % size)
			const chosen = { any: value, first, last: first + size - 1n }[which]
			const is = size > 2n && (chosen === first || (family === 4 && chosen === first + size - 1n))
			expect(isNetworkOrBroadcast(`${written(family, chosen)}/${length}`)).toBe(is)
		}),
		{ numRuns: 2_000 },
	)
})

test('a valid interface has only host addresses, and a gateway of their family that is not one of them', () => {
	const ip = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.0', '10.0.0.5', '10.0.0.255', '224.0.0.1', '::', 'fd00::', 'fd00::5'))
	const length = fc.oneof(fc.constantFrom(0, 24, 31, 64, 127), fc.nat(128))
	const nic = fc.record({ main: fc.tuple(ip, length), more: fc.tuple(ip, length), gateway: fc.option(ip, { nil: undefined }) })
	fc.assert(
		fc.property(nic, ({ main: [address, of], more, gateway }) => {
			const cidrs = [`${address}/${of}`, more.join('/')]
			const wanted = { macAddress: 'fa:16:3e:37:c3:f1', address, cidr: `${address}/${of}`, addresses: [more.join('/')] }
			if (!Interfaces.safeParse([{ ...wanted, ...(gateway !== undefined && { gateway }) }]).success) return
			expect(
				cidrs.filter(cidr => isNetworkOrBroadcast(cidr) || !isUnicast(cidr.replace(/\/.*/, '')) || networkOf(cidr).endsWith('/0')),
			).toEqual([])
			if (gateway === undefined) return
			expect(
				isUnicast(gateway) && !cidrs.some(cidr => contains(cidr.replace(/\/.*/, gateway.includes(':') ? '/128' : '/32'), gateway)),
			).toBe(true)
			expect(cidrs.some(cidr => cidr.includes(':') === gateway.includes(':'))).toBe(true)
		}),
		{ numRuns: 5_000 },
	)
})

function issuesOf(issues: readonly { path: PropertyKey[]; message: string }[] | undefined): string | undefined {
	return issues
		?.map(({ path, message }) => `${path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')}: ${message}`)
		.join('; ')
}

function escaped(text: string): string {
	return text.replaceAll(/[.[\]()]/g, '\\$&')
}

function written(family: number, value: bigint): string {
	if (family === 4) return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
	return Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 65535n).toString(16)).join(':')
}
