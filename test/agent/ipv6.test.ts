import { describe, expect, test } from 'vitest'
import { failure } from '../../agent/model/failure.ts'
import { ignoreMissingIpv6 } from '../../agent/host/ipv6-support.ts'
import type { Link } from '../../agent/model/host-state.ts'
import { plan } from '../../agent/plan/plan.ts'
import { Interfaces, settle } from '../../contract/interface.ts'
import { changesIn } from '../../agent/model/change.ts'
import { after, hostWith } from './simulated-host.ts'

const nic = { id: 0, macAddress: 'fa:16:3e:00:00:01', address: '10.0.0.23', cidr: '10.0.0.0/24' }
const works: [title: string, more: object][] = [
	['an IPv4 address', {}],
	[
		'an IPv4 gateway, a second IPv4 address and an IPv4 route',
		{ gateway: '10.0.0.1', addresses: ['10.0.0.24/24'], routes: [{ to: '10.9.0.0/16', via: '10.0.0.7' }] },
	],
	['policy routing disabled', { policyRouting: false }],
	['an MTU below 1280', { mtu: 1000 }],
	['no address', { address: undefined, cidr: undefined }],
]
const needsIpv6: [title: string, more: object, ip: string][] = [
	['an IPv6 address', { address: 'fd00::23', cidr: 'fd00::/64' }, 'fd00::23/64'],
	['an additional IPv6 address', { addresses: ['10.0.0.24/24', 'fd00::23/64'] }, 'fd00::23/64'],
	['a link-local address', { addresses: ['fe80::23/64'] }, 'fe80::23/64'],
	['an IPv6 address in another form', { addresses: ['FD00:0::23/64'] }, 'fd00::23/64'],
	['an IPv6 gateway', { addresses: ['fd00::23/64'], gateway: 'fd00::1' }, 'fd00::23/64'],
	['an IPv6 route', { routes: [{ to: 'fd01::/48' }] }, 'fd01::/48'],
]
const noKernel = /needs IPv6.*ipv6\.disable=1.*cat \/proc\/cmdline/
const noLink = /needs IPv6.*disabled on ens7.*grep 1 \/proc\/sys\/net\/ipv6\/conf\/\*\/disable_ipv6/

describe('on a kernel without IPv6', () => {
	const bare = (link: Partial<Link> = {}) => hostOf(link, false)

	test.each(works)('configures an interface with %s', (_, more) => {
		expect(planned({ ...nic, ...more }, bare())).toEqual({ refused: [], left: 0 })
	})

	test.each(needsIpv6)('refuses an interface with %s', (_, more, ip) => {
		expect(planned({ ...nic, ...more }, bare()).refused).toEqual([['InvalidConfig', expect.stringMatching(noKernel)]])
		expect(planned({ ...nic, ...more }, bare()).refused[0]?.[1]).toContain(`${ip} needs`)
	})

	test('refuses only the interface with an IPv6 address', () => {
		const two = [nic, { id: 1, macAddress: 'fa:16:3e:00:00:02', address: 'fd00::23', cidr: 'fd00::/64' }]
		const { refused, accepted, steps } = plan(wanted(two), bare(), {})
		expect(refused.map(({ nic: { name }, refusal }) => [name, refusal.reason])).toEqual([['multinic1', 'InvalidConfig']])
		expect(accepted.map(({ nic: { name } }) => name)).toEqual(['multinic0'])
		expect(steps.map(({ id }) => id)).not.toContain(1)
	})

	test('writes no IPv6 setting, even if the MTU grows above 1280, in a run, an undo or a removal', () => {
		const start = bare({ mtu: 1000 })
		const wish = { ...nic, mtu: 1500 }
		const { steps, undo } = plan(wanted([wish]), start, {})
		const end = steps.reduce(after, start)
		const removal = plan(wanted([]), end, {})
		const changes = changesIn([...steps, ...undo, ...removal.steps, ...removal.undo])
		expect(changes.filter(change => change.kind === 'sysctl').map(({ key }) => key)).not.toContain('ipv6/accept_ra')
	})
})

describe('with IPv6 disabled on the link', () => {
	const off = () => hostOf({ ipv6Disabled: true }, true)

	test.each(works)('configures an interface with %s', (_, more) => {
		expect(planned({ ...nic, ...more }, off())).toEqual({ refused: [], left: 0 })
	})

	test.each(needsIpv6)('refuses an interface with %s', (_, more) => {
		expect(planned({ ...nic, ...more }, off()).refused).toEqual([['InvalidConfig', expect.stringMatching(noLink)]])
	})
})

test.each(needsIpv6)('with IPv6 enabled, configures an interface with %s', (_, more) => {
	expect(planned({ ...nic, ...more }, hostOf({}, true))).toEqual({ refused: [], left: 0 })
})

describe('an error of `ip -6 rule show`', () => {
	test.each<[title: string, stderr: string]>([
		[
			'on a kernel with ipv6.disable=1 (Linux 6.1)',
			'RTNETLINK answers: Address family not supported by protocol\nDump terminated\nCommand failed -:1',
		],
		['on a kernel without IPv6', 'RTNETLINK answers: Address family not supported by protocol\nDump terminated'],
	])('%s means that the kernel does not support IPv6', (_, stderr) => {
		expect(ignoreMissingIpv6(failure('COMMAND_FAILED', `ip rule show: ${stderr}`))).toBeUndefined()
	})

	test.each<[title: string, error: unknown]>([
		['a missing permission', failure('COMMAND_FAILED', 'ip rule show: RTNETLINK answers: Operation not permitted')],
		['a missing program', failure('COMMAND_FAILED', 'ip -6 is not installed')],
		['a bug', new TypeError('x is not a function')],
		['another failure', failure('BAD_RECORD', 'Address family not supported by protocol')],
	])('due to %s is rethrown', (_, error) => {
		expect(() => ignoreMissingIpv6(error)).toThrow(error as Error)
	})
})

function wanted(nics: readonly object[]) {
	return { interfaces: settle(Interfaces.parse(nics)), nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }
}

/** @returns the refusals, and the number of steps of a new plan after the plan is applied */
function planned(wish: object, start: ReturnType<typeof hostOf>) {
	const { refused, steps } = plan(wanted([wish]), start, {})
	const end = steps.reduce(after, start)
	const left = plan(wanted([wish]), end, {}).steps.length
	return { refused: refused.map(({ refusal: { reason, message } }) => [reason, message] as const), left }
}

/** Without IPv6, a link has no IPv6 settings. */
function hostOf(link: Partial<Link>, ipv6: boolean) {
	const sysctls = { 'ipv4/rp_filter': '1', ...(ipv6 && { 'ipv6/accept_ra': '1' }) }
	const two = [
		{ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:01' },
		{ ifindex: 4, name: 'ens8', mac: 'fa:16:3e:00:00:02' },
	]
	return hostWith(
		two.map(one => ({ ...one, sysctls, ...link })),
		{ ipv6 },
	)
}
