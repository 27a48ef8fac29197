import type { RefusalCheck } from '../model/check.ts'
import type { Leaving } from '../model/selection.ts'
import { definitionsOf, profileOnLink } from '../persist/second-definition.ts'
import type { PreflightInput } from './preflight-input.ts'

/** Checks for files not managed by MultiNIC that define or use an interface managed by MultiNIC. */

export const definedTwice: RefusalCheck<PreflightInput> = {
	reason: 'InUse',
	when: 'a file that MultiNIC did not write also defines `multinicN`, and the next boot would apply both',
	see: 'cat /etc/netplan/60-multinic0.yaml',
	find({ nic, host }) {
		const other = definitionsOf(nic, host).find(({ applied }) => applied === 'both')
		if (!other) return
		return { says: `${other.path} also defines ${nic.name}, and the next boot would apply both`, see: `cat ${other.path}` }
	},
}

export const profileOnTop: RefusalCheck<Leaving> = {
	reason: 'InUse',
	when: 'a profile of NetworkManager or of initscripts defines a VLAN on top of the NIC',
	see: 'cat /etc/NetworkManager/system-connections/trunk.nmconnection',
	find({ ours: { name }, host }) {
		const path = profileOnLink(name, host)
		if (path !== undefined) return { says: `${path} defines a VLAN on top of it`, see: `cat ${path}` }
	},
}
