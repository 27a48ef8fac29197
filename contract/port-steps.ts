/** The steps of a port on its way to a NIC, in order. Free of zod, because the console shows them too. */
export const portSteps = ['Seen', 'Sent', 'Started', 'Settled'] as const
export type PortStep = (typeof portSteps)[number]

/** What has happened when a step is reached. */
export const stepMeanings: Readonly<Record<PortStep, string>> = {
	Seen: 'OpenStack has attached the port to the VM, and mgmt has read it',
	Sent: 'viola has accepted the node config with the port',
	Started: 'a run on the node has started',
	Settled: 'the run has reported the NIC',
}
