import { canonicalIp, ipOf } from '../../contract/ip.ts'
import type { RefusalCheck } from '../model/check.ts'
import { addressesOf } from '../model/desired-network.ts'
import { cidrsOf } from '../model/networks.ts'
import { Word } from '../model/record-network.ts'
import type { Leaving } from '../model/selection.ts'
import { bootNames, matchedName, withDropIns } from '../persist/networkd-match.ts'
import type { PreflightInput } from './preflight-input.ts'
import { addressesWeAdded } from './record-link.ts'

/** Checks for uses of a link that forbid changing it. */

export const holdsNodeAddress: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC has an address that Kubernetes lists for the node',
	see: 'ip addr show dev ens7',
	find({ link: { name, addresses }, nodeAddresses }) {
		const known = new Set(nodeAddresses.map(canonicalIp))
		const held = addresses.find(({ cidr }) => known.has(ipOf(cidr)))
		if (held) return { says: `${name} has ${ipOf(held.cidr)}, which Kubernetes lists for this node`, see: `ip addr show dev ${name}` }
	},
}

export const holdsForeignAddress: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC has an address that is not desired and did not come from DHCP or a router advertisement; this includes an address that was added to `multinicN` by hand',
	see: 'ip addr show dev ens7',
	find({ nic, link: { name, addresses }, ours }) {
		const known = new Set([...addressesOf(nic), ...cidrsOf(nic), ...addressesWeAdded(ours)])
		const foreign = addresses.find(({ cidr, global, dynamic }) => global && !dynamic && !known.has(cidr))
		if (!foreign) return
		return { says: `${name} has ${foreign.cidr}, which is not requested here and did not come from DHCP`, see: `ip addr show dev ${name}` }
	},
}

export const losesForeignAddress: RefusalCheck<Leaving> = {
	reason: 'InUse',
	when: 'the interface is no longer desired, its removal would set the link down, and another program has added an address to the link',
	see: 'ip addr show dev multinic0',
	find({ ours, link }) {
		if (!link || ours.original.up) return
		const known = new Set([...addressesWeAdded(ours), ...(ours.original.addresses ?? []).map(({ cidr }) => cidr)])
		const foreign = link.addresses.find(({ cidr, global, dynamic }) => global && !dynamic && !known.has(cidr))
		if (!foreign) return
		const says = `${link.name} would be set down and has ${foreign.cidr}, which another program added: remove that address first`
		return { says, see: `ip addr show dev ${link.name}` }
	},
}

/** systemd-networkd releases a link if its .network file does not match the new name; otherwise it would keep requesting a lease. */
export const keptByNetworkd: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the `.network` file from which systemd-networkd configures the NIC also matches `multinicN` (add `Name=!multinic*` to its `[Match]`) or an alternative name of the NIC (`en*` matches `enp0s7`; limit the file to other NICs)',
	see: 'networkctl status ens7',
	find({ nic, link, host, ours }) {
		const file = link.managedBy === 'systemd-networkd' && !ours ? link.networkFile : undefined
		const isRead = file !== undefined && host.files[file] !== undefined
		const name = isRead ? matchedName(withDropIns(host.files, file), { names: bootNames(nic, link), mac: link.mac }) : undefined
		if (name === undefined) return
		const why =
			name === nic.name
				? `which also matches ${name}: exclude multinic* there`
				: `which also matches ${name}, an alternative name of this NIC: limit it to other NICs`
		return { says: `systemd-networkd configures ${link.name} from ${file}, ${why}`, see: `networkctl status ${link.name}` }
	},
}

/** A change may remove attributes that `ip` prints and this agent does not know, and a rollback could not restore them. */
export const unknownKeysOnLink: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: '`ip -j` shows an attribute of the NIC, or of its addresses, routes or neighbours, that the agent does not know and could not restore',
	see: 'ip -j -d addr show dev ens7',
	find({ link: { name, unknown = [] } }) {
		const [first] = unknown
		if (first) return { says: `this agent does not know '${first.key}' of ${name} and could not restore it`, see: first.see }
	},
}

/** `ip -batch` splits at spaces, quotes and `#`; a name or a label that contains one could not be restored. */
export const nameCannotBeSpelled: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a name of the NIC, or the label of an address, has a character that `ip -batch` does not support',
	see: 'ip -d link show',
	find({ link: { name, altnames, ifindex, addresses } }) {
		const odd = [name, ...altnames].find(other => !/^[\w.@-]+$/.test(other))
		if (odd !== undefined)
			return { says: `the name '${odd}' of the link with index ${ifindex} could not be restored after a change`, see: 'ip -d link show' }
		const labelled = addresses.find(({ label }) => label !== undefined && !Word.safeParse(label).success)
		if (!labelled) return
		return {
			says: `the label '${labelled.label}' of ${labelled.cidr} on ${name} could not be restored after a change`,
			see: `ip addr show dev ${name}`,
		}
	},
}
