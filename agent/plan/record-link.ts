import type { WantedInterface } from '../../contract/interface.ts'
import { rememberedBases } from '../model/bases.ts'
import { addressesOf, IPV6_MTU, routesOf, sysctlsOf } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import type { RecordedLink } from '../model/record.ts'
import type { Accepted } from '../model/selection.ts'
import { recordable } from './original-network.ts'

/** @returns the record of a link managed by MultiNIC, without its files */
export function recordLink({ nic, link, ours }: Accepted, host: HostState): Omit<RecordedLink, 'files'> {
	const { name, altnames, mtu, up } = link
	const managed = link.managedBy === 'NetworkManager' ? { managed: true } : {}
	const daemon = link.managedBy ? { daemon: link.managedBy } : {}
	const original = ours?.original ?? {
		name,
		altnames: [...altnames],
		mtu,
		up,
		sysctls: withIpv6Mtu(link.sysctls),
		...managed,
		...daemon,
		...recordable(link, host),
	}
	return {
		mac: nic.macAddress,
		id: nic.id,
		name: nic.name,
		// A later config may change a setting that the first one did not.
		original: { ...original, sysctls: { ...changedSettings(link.sysctls, sysctlsOf(nic)), ...original.sysctls } },
		...recordedDevice(ours ?? link),
		...(nic.mtu !== undefined && { mtu: nic.mtu }),
		addresses: addressesOf(nic),
		former: formerOf(addressesOf(nic), ours),
		routes: routesOf(nic, link.ifindex).map(({ to, via, table, metric }) => ({ to, table, metric, ...(via !== undefined && { via }) })),
		...rememberedBases(nic, ours),
	}
}

function withIpv6Mtu({ [IPV6_MTU]: bytes }: Readonly<Record<string, string>>): Record<string, string> {
	return bytes === undefined ? {} : { [IPV6_MTU]: bytes }
}

/** Keeps the first recorded device, so that the record of a NIC that needs no change is the same in every run. */
function recordedDevice({ device }: Pick<Link, 'device'> | RecordedLink): Pick<RecordedLink, 'device'> {
	return device ? { device } : {}
}

const MOST_FORMER = 16

function formerOf(addresses: readonly string[], ours: RecordedLink | undefined): string[] {
	const before = [...new Set([...(ours?.former ?? []), ...(ours?.addresses ?? [])])]
	return before.filter(cidr => !addresses.includes(cidr)).slice(-MOST_FORMER)
}

/**
 * @returns the MTU after the run in bytes: the desired one; else the original one, if the current one is from an earlier config; else the
 * current one
 */
export function mtuAfter({ mtu }: WantedInterface, link: Link, ours: RecordedLink | undefined): number {
	return mtu ?? (ours && ours.mtu === link.mtu ? ours.original.mtu : link.mtu)
}

/** @returns the addresses that MultiNIC has added to a link, now or for earlier configs */
export function addressesWeAdded(ours: RecordedLink | undefined): string[] {
	return ours ? [...ours.addresses, ...ours.former] : []
}

/** @returns the current values of the sysctls that the run changes. A link with an MTU below 1280 bytes has no IPv6 sysctls to record */
function changedSettings(now: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): Record<string, string> {
	return Object.fromEntries(Object.entries(now).filter(([key, value]) => key in wanted && wanted[key] !== value))
}
