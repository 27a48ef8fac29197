import { describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import { definedTwice, profileOnTop } from '../../../agent/plan/definition-checks.ts'
import { hostWith } from '../simulated-host.ts'
import { inputOf, mac, recordedNic } from './one-nic.ts'

/** Files of other programs that define an interface, or a link on top of it. */

const NETPLAN = '/etc/netplan/60-a.yaml'
const byMac = `network: {ethernets: {a: {match: {macaddress: "${mac(0)}"}, dhcp4: true}}}`
const byName = 'network: {ethernets: {multinic0: {dhcp4: true}}}'
const files = (contents: Record<string, string>): HostState['files'] =>
	Object.fromEntries(Object.entries(contents).map(([path, content]) => [path, { content, mode: 0o600, gid: 0 }]))

test.each<[title: string, contents: Record<string, string>, path: string | undefined]>([
	['defines an interface by its name, so that the next boot applies both', { [NETPLAN]: byName }, NETPLAN],
	[
		'defines an interface by its name, next to a file that defines it by its MAC',
		{ '/etc/netplan/50-a.yaml': byMac, [NETPLAN]: byName },
		NETPLAN,
	],
	['is not applied together with the files of MultiNIC', { [NETPLAN]: byMac }, undefined],
	['defines another interface', { [NETPLAN]: byName.replace('multinic0', 'multinic1') }, undefined],
])('a file that %s', (_, contents, path) => {
	const says = `${path} also defines multinic0, and the next boot would apply both`
	expect(definedTwice.find(inputOf({ host: { files: files(contents) } }))).toEqual(path && { says, see: `cat ${path}` })
})

describe('a profile', () => {
	const path = '/etc/NetworkManager/system-connections/trunk.nmconnection'
	const find = (parent: string) => {
		const host = hostWith([], { files: files({ [path]: `[connection]\nid=trunk\n[vlan]\nid=5\nparent=${parent}\n` }) })
		return profileOnTop.find({ ours: recordedNic(), link: undefined, host })
	}

	test('defines a VLAN on top of the NIC', () => {
		expect(find('multinic0')).toEqual({ says: `${path} defines a VLAN on top of it`, see: `cat ${path}` })
	})

	test('defines a VLAN on top of another NIC', () => {
		expect(find('ens9')).toBe(undefined)
	})
})
