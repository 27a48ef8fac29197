/** Every name that two processes must spell alike. */

export const GROUP = 'multinic.io'
export const VERSION = 'v1'
/** The kind of the node configs, as `defineKind` takes it. */
export const NODE_CONFIG = {
	group: GROUP,
	version: VERSION,
	plural: 'multinicnodeconfigs',
	kind: 'MultiNicNodeConfig',
	namespaced: true,
} as const
export const MGMT_GROUP = 'multinic.example.com'
export const MGMT_VERSION = 'v1alpha1'

export const MAX_INTERFACES = 10
export const FINALIZER = `${GROUP}/cleanup`

export const LABEL_NODE_NAME = `${GROUP}/node-name`
export const LABEL_INSTANCE_ID = `${GROUP}/instance-id`
export const LABEL_PROVIDER_ID = `${GROUP}/provider-id`
export const LABEL_CONFIG_UID = `${GROUP}/config-uid`
export const LABEL_GENERATION = `${GROUP}/generation`
export const LABEL_ATTEMPT = `${GROUP}/attempt`
/** What a run is to do. On all of its objects, for they go one after the other: a look whose ConfigMap is gone is still no change. */
export const LABEL_MODE = `${GROUP}/mode`

/** On the ConfigMap of a run: why it was started, in which boot of its node, and how many before it failed in a row. */
export const ANNOTATION_BOOT_ID = `${GROUP}/boot-id`
export const ANNOTATION_CAUSE = `${GROUP}/cause`
export const ANNOTATION_FAILURES = `${GROUP}/failures`
/**
 * On a node config, each with any value that was not there before: a person's way to ask for a run now that configures the node, that says
 * what it would change, that says what is no longer as it was left. Copied to the run that answers it, then taken away.
 */
export const ANNOTATION_RETRY = `${GROUP}/retry`
export const ANNOTATION_PLAN = `${GROUP}/plan`
export const ANNOTATION_VERIFY = `${GROUP}/verify`

/**
 * What every object of a run is labelled as (`app.kubernetes.io/name`), and the ServiceAccount of its pod. Not `multinic-agent`: the Go systems
 * delete Jobs with that label, and the removal of their chart deletes that account.
 */
export const RUN_APP = 'multinic-run'
/** Characters of a run's name: the name of a pod then holds it whole, because Kubernetes cuts it after 58 and puts five more after it. */
export const RUN_NAME_MAX = 57

/** As whom the agent writes its report; the admission policy compares the managed fields of all others. */
export const AGENT_MANAGER = 'multinic-agent'

/** The container of a run's pod; webhooks may put others before it and beside it. */
export const AGENT_CONTAINER = 'agent'

/** The run ConfigMap: what the controller hands to a run, and what the run hands back. */
export const CONFIG_KEY = 'config.json'
export const REPORT_KEY = 'report.json'

/** The longest a report may be in its ConfigMap; the admission policy enforces the same figure (bytes). */
export const REPORT_MAX_BYTES = 65_536
/** The kubelet cuts a termination message here (bytes). */
export const TERMINATION_MAX_BYTES = 4_096

/** What the text of a report may have before it is parsed: bytes, lists and objects within each other, values in all. */
export const REPORT_BOUNDS = { bytes: REPORT_MAX_BYTES, depth: 8, values: 10_000 } as const
/** How many of each a report may have. The agent leaves out what is more, and nobody reads a report that has more. */
export const REPORT_COUNTS = {
	...{ removals: 64, warnings: 16, done: 64, drift: 64, probes: 256, notes: 64, phases: 64 },
	...{ addresses: 4, commands: 4_000, links: 256, files: 256 },
} as const

/** @returns `multinic0` … `multinic9`, the kernel name of the interface with this id */
export function interfaceName(id: number): string {
	return `multinic${id}`
}

/** @returns the route table of an interface where no other base is chosen: 100 + id */
export function routeTable(id: number): number {
	return 100 + id
}
