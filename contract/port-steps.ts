/** The steps of a port on its path to a NIC, in order. This file does not import zod, because the console imports it. */
export const portSteps = ['Seen', 'Sent', 'Started', 'Settled'] as const
export type PortStep = (typeof portSteps)[number]

/** What has happened when a port has reached a step. */
export const stepMeanings: Readonly<Record<PortStep, string>> = {
	Seen: 'OpenStack has attached the port to the VM, and mgmt has read it',
	Sent: 'viola has accepted the node config with the port',
	Started: 'a run on the node has started',
	Settled: 'the run has reported the NIC',
}
