import * as z from 'zod'

/**
 * Every reason in a status, an Event or a report. Reasons are API, so they are never renamed. `heals`: the cause may disappear over time,
 * so the controller retries; otherwise it waits for a change of the node config or a retry request. `stops`: no other node is changed until
 * this one succeeds, because the same could happen to the others.
 */
export const reasons = {
	AllInterfacesConfigured: { heals: false, means: 'all interfaces of the node config are configured' },
	NoInterfaces: { heals: false, means: 'no interfaces are requested and none are left on the node' },
	Planned: { heals: false, means: 'mode Plan: the report has the planned changes, nothing was changed' },
	Paused: { heals: false, means: 'the node config is paused, no run starts' },
	Waiting: { heals: true, means: 'the run is queued by a rollout rule' },
	NodeNotFound: { heals: true, means: 'there is no Kubernetes node with this name' },
	NodeNotReady: { heals: true, means: 'the kubelet of the node does not report, so no run can start there' },
	NodeReplaced: { heals: true, means: 'the node with this name is not the VM of the node config' },
	Conflict: { heals: true, means: 'another node config has the same MAC or address' },
	InvalidConfig: { heals: false, means: 'the node config is invalid' },
	RunStarted: { heals: true, means: 'a Job was created for the node' },
	PreviousRunActive: { heals: true, means: 'an earlier run has not finished on the node, so the next one waits' },
	RunFailed: { heals: true, means: 'the run failed before it checked the interfaces' },
	RunLost: { heals: true, stops: true, means: 'the Job finished without a report' },
	PodRefused: { heals: true, means: 'Kubernetes did not start the pod of the Job' },
	StatusRefused: { heals: true, means: 'the API server rejects the status of the node config, so it is not shown' },
	WriteFailed: { heals: true, means: 'the API server repeatedly rejects a write of the controller' },
	PartlyFailed: { heals: true, means: 'some interfaces are configured, others are not' },
	WaitingForDevice: { heals: true, means: 'no link of the node has this MAC yet' },
	InOtherNamespace: { heals: true, means: 'the NIC is in another network namespace, such as that of a pod' },
	Ambiguous: { heals: true, means: 'more than one link of the node has this MAC' },
	InUse: { heals: true, means: 'the link is used by something else on this node' },
	NotAllowed: { heals: true, means: 'the chart does not allow this setting of the node config' },
	NameTaken: { heals: true, means: 'a link that MultiNIC does not manage has the desired name' },
	AddressInUse: { heals: true, means: 'another host on the network uses the address' },
	MtuRefused: { heals: false, means: 'the link does not support the desired MTU' },
	CommandFailed: { heals: true, means: 'a command on the node failed' },
	NotVerified: { heals: true, means: 'the node still differs from the desired state after the change' },
	RoutedElsewhere: { heals: true, means: 'a rule or route with higher precedence sends packets from the address out of another link' },
	ConnectivityLost: { heals: true, stops: true, means: 'a network path of the node was lost by the change' },
	ForeignChanged: { heals: true, stops: true, means: 'something that MultiNIC does not manage changed during the run' },
	NotRestored: { heals: true, stops: true, means: 'the run failed and could not be rolled back completely' },
	RolledBack: { heals: true, stops: true, means: 'the run failed and was rolled back' },
	UnknownBackend: { heals: false, means: 'no supported network configuration manages this host' },
	Configured: { heals: false, means: 'the interface matches the node config' },
	AlreadyConfigured: { heals: false, means: 'the interface already matched before the run, nothing was changed' },
	GatewaySilent: { heals: true, means: 'the gateway of the interface does not answer' },
	PathMtu: { heals: true, means: 'the path drops packets of the desired MTU' },
	SharedNetwork: {
		heals: true,
		means: 'the network is shared with another link, or protected, so its route is not in the main table',
	},
	PortMismatch: { heals: true, means: 'OpenStack reports different values for the port' },
	CloudInitConflict: { heals: false, means: 'cloud-init would rename the NIC at boot' },
	Persistent: { heals: false, means: 'a reboot restores the current configuration' },
	PersistenceUnknown: { heals: false, means: 'it is unknown whether a reboot restores the configuration' },
	NotPersistent: { heals: true, means: 'the configuration works now, but is lost at reboot' },
	Drifted: { heals: true, means: 'the node differs from the result of the last run' },
	Released: { heals: false, means: 'the node config was deleted, and its node was restored or is gone' },
} as const satisfies Record<string, { heals: boolean; stops?: true; means: string }>

export const Reason = z.enum(Object.keys(reasons) as [keyof typeof reasons, ...(keyof typeof reasons)[]])
export type Reason = z.infer<typeof Reason>

/**
 * Returns whether the cause may disappear over time. An unknown reason comes from a later version of MultiNIC; it is treated as one that
 * may, because a retry is harmless.
 */
export function heals(reason: string): boolean {
	return isKnown(reason) ? reasons[reason].heals : true
}

/** Returns whether the reason stops changes to other nodes. */
export function stopsRollout(reason: string): boolean {
	return isKnown(reason) && 'stops' in reasons[reason]
}

function isKnown(reason: string): reason is Reason {
	return Object.hasOwn(reasons, reason)
}
