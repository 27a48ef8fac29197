import type { RefusalCheck } from '../model/check.ts'
import type { Leaving, Placed } from '../model/selection.ts'
import { configure } from './configure.ts'
import { calledBy, disturbance, ruleLost, usesOf } from './link-uses.ts'
import type { PreflightInput } from './preflight-input.ts'
import { mtuAfter } from './record-link.ts'

/** Checks for other users of a link. A link on top of a NIC managed by MultiNIC matters only if the change would disturb that link. */

export const usedByOthers: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC is not managed by MultiNIC yet and is a port of a bridge, bond or VRF, or a VLAN, macvlan or other link is on top of it',
	see: 'ip link show master br0` or `ip -d link show dev vlan5',
	find: ({ link, host, ours }) => (ours ? undefined : usesOf(link, host)[0]),
}

export const disturbedByChange: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'the NIC is managed by MultiNIC, another link uses it, and the change would rename it or give it an MTU that disturbs that link',
	see: 'ip -d link show dev vlan5',
	find: ({ nic, link, host, ours }) =>
		ours ? disturbance(link, { name: nic.name, mtu: mtuAfter(nic, link, ours), up: true }, { subject: nic.name, host }) : undefined,
}

export const ruleNamesLink: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a rule names the NIC (`iif`, `oif`) by a name that it would lose',
	see: 'ip rule show priority 600',
	find: ({ nic, link, host }) => ruleLost(link, nic.name, { host }),
}

/** For any change, NetworkManager has to release the link, and then also sets down the VLANs on top of it. */
export const disturbedByDaemon: RefusalCheck<Placed> = {
	reason: 'InUse',
	when: 'the NIC is managed by MultiNIC and NetworkManager, another link uses it, and something has to change',
	see: 'ip -d link show dev vlan5',
	find({ accepted, selection, host }) {
		const { nic, link } = accepted
		const called = calledBy(nic.name, link)
		const use = link.managedBy === 'NetworkManager' ? usesOf(link, host, called)[0] : undefined
		if (!use) return
		const { settings: _, ...phases } = configure(accepted, selection, host)
		if (Object.values(phases).every(changes => changes.length === 0)) return
		return { says: `${use.says}, and NetworkManager would have to release ${called}`, see: use.see }
	},
}

export const disturbedByRemoval: RefusalCheck<Leaving> = {
	reason: 'InUse',
	when: 'the interface is no longer desired, and its removal would rename or set down a link that another link or a rule uses',
	see: 'ip -d link show dev vlan5',
	find: ({ ours: { name, original }, link, host }) => link && disturbance(link, original, { subject: name, host }),
}
