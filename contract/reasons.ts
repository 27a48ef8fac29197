import * as z from 'zod'

/**
 * Every reason a status, an Event or a report may give: API, so never renamed. `heals` says whether time alone may cure it;
 * where it may, the controller comes again, else it waits for a change of the node config or a person's retry. `stops`: no other node is
 * changed until this one came through, for what happened to it may happen to them.
 */
export const reasons = {
	AllInterfacesConfigured: { heals: false, means: 'every wanted interface is on the node as the node config says' },
	NoInterfaces: { heals: false, means: 'no interface is wanted and nothing of ours is left on the node' },
	Planned: { heals: false, means: 'mode Plan: the difference is in the report, nothing was changed' },
	Paused: { heals: false, means: 'the node config is paused; no run is started' },
	Waiting: { heals: true, means: 'a rollout rule holds the run back' },
	NodeNotFound: { heals: true, means: 'no Kubernetes node has this name' },
	NodeNotReady: { heals: true, means: 'the kubelet of the node is silent, so no run could start there' },
	NodeReplaced: { heals: true, means: 'the node of this name is another VM than the node config speaks of' },
	Conflict: { heals: true, means: 'another node config claims the same MAC or address' },
	InvalidConfig: { heals: false, means: 'the node config cannot be carried out as written' },
	RunStarted: { heals: true, means: 'a Job is on its way to the node' },
	PreviousRunActive: { heals: true, means: 'an earlier run has not ended on the node, so the next one waits' },
	RunFailed: { heals: true, means: 'the run failed before it could judge the interfaces' },
	RunLost: { heals: true, stops: true, means: 'the Job ended without a report' },
	PodRefused: { heals: true, means: 'Kubernetes would not start the pod of the Job' },
	StatusRefused: { heals: true, means: 'the API server refuses the status of the node config, so it is not shown' },
	WriteFailed: { heals: true, means: 'the API server answers a write of the controller with an error, again and again' },
	PartlyFailed: { heals: true, means: 'some interfaces are configured and some are not' },
	WaitingForDevice: { heals: true, means: 'no link of the node has this MAC yet' },
	InOtherNamespace: { heals: true, means: 'the NIC is in another network namespace, such as that of a pod' },
	Ambiguous: { heals: true, means: 'more than one link of the node has this MAC' },
	InUse: { heals: true, means: 'the link serves something else on this node' },
	NotAllowed: { heals: true, means: 'the chart does not allow what the node config asks for' },
	NameTaken: { heals: true, means: 'a link that is not ours has the wanted name' },
	AddressInUse: { heals: true, means: 'another host on the wire answers for the address' },
	MtuRefused: { heals: false, means: 'the link cannot carry the wanted MTU' },
	CommandFailed: { heals: true, means: 'a command on the node ended with an error' },
	NotVerified: { heals: true, means: 'after the change the node still differed from what is wanted' },
	RoutedElsewhere: { heals: true, means: 'a rule or route that comes first sends packets from the address out of another link' },
	ConnectivityLost: { heals: true, stops: true, means: 'a path of the node that worked before the change did not work after it' },
	ForeignChanged: { heals: true, stops: true, means: 'something that is not ours changed during the run' },
	NotRestored: { heals: true, stops: true, means: 'the run failed and not everything could be put back' },
	RolledBack: { heals: true, stops: true, means: 'the run failed and everything was put back' },
	UnknownBackend: { heals: false, means: 'no known network configuration manages this host' },
	Configured: { heals: false, means: 'the interface is as the node config says' },
	AlreadyConfigured: { heals: false, means: 'the interface was right before the run and nothing was changed' },
	GatewaySilent: { heals: true, means: 'the gateway of the interface did not answer' },
	PathMtu: { heals: true, means: 'the path does not carry packets of the wanted MTU' },
	SharedNetwork: {
		heals: true,
		means: 'the network is also that of another link, or protected, and its route stays out of the main table',
	},
	PortMismatch: { heals: true, means: 'OpenStack says something else of the port than the node config' },
	CloudInitConflict: { heals: false, means: 'cloud-init would rename the NIC back at boot' },
	Persistent: { heals: false, means: 'proven: a reboot brings it back as it is now' },
	PersistenceUnknown: { heals: false, means: 'it could not be proven whether a reboot would bring it back' },
	NotPersistent: { heals: true, means: 'it works now, but a reboot would not bring it back' },
	Drifted: { heals: true, means: 'the node no longer is as the last run left it' },
	Released: { heals: false, means: 'the node config was deleted and its node cleaned or gone' },
} as const satisfies Record<string, { heals: boolean; stops?: true; means: string }>

export const Reason = z.enum(Object.keys(reasons) as [keyof typeof reasons, ...(keyof typeof reasons)[]])
export type Reason = z.infer<typeof Reason>

/** Whether time alone may cure it. A reason that is not known comes from a later version of ours; trying again does no harm. */
export function heals(reason: string): boolean {
	return isKnown(reason) ? reasons[reason].heals : true
}

/** Whether it keeps other nodes from being changed. */
export function stopsRollout(reason: string): boolean {
	return isKnown(reason) && 'stops' in reasons[reason]
}

function isKnown(reason: string): reason is Reason {
	return Object.hasOwn(reasons, reason)
}
