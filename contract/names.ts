/** Names that more than one process uses and that must be the same in all of them. */

export const GROUP = 'multinic.io'
export const VERSION = 'v1'
/** The kind of node configs, as `defineKind` takes it. Each top-level directory adds the fields that it reads. */
export const NODE_CONFIG = {
	group: GROUP,
	version: VERSION,
	plural: 'multinicnodeconfigs',
	kind: 'MultiNicNodeConfig',
	namespaced: true,
} as const
export const MGMT_GROUP = 'multinic.example.com'
/** The kind of OpenstackConfigs. */
export const OPENSTACK_CONFIG = {
	group: MGMT_GROUP,
	version: 'v1alpha1',
	plural: 'openstackconfigs',
	kind: 'OpenstackConfig',
	namespaced: true,
} as const

export const MAX_INTERFACES = 10
export const FINALIZER = `${GROUP}/cleanup`

export const LABEL_NODE_NAME = `${GROUP}/node-name`
export const LABEL_INSTANCE_ID = `${GROUP}/instance-id`
export const LABEL_PROVIDER_ID = `${GROUP}/provider-id`
/** The OpenstackConfig from which a node config comes, as JSON: `{namespace, name, uid}`. Viola writes it as a POST says. */
export const ANNOTATION_OWNER = `${GROUP}/owner`
export const LABEL_CONFIG_UID = `${GROUP}/config-uid`
export const LABEL_GENERATION = `${GROUP}/generation`
export const LABEL_ATTEMPT = `${GROUP}/attempt`
/**
 * Mode of a run. Every object of a run has this label, because the objects are deleted one by one: a read-only run that has lost its
 * ConfigMap must still be recognized as read-only.
 */
export const LABEL_MODE = `${GROUP}/mode`

/**
 * Annotations of a run's ConfigMap: the boot id and the pod networks of its node, the cause of the run, and the number of consecutive
 * failed runs before it.
 */
export const ANNOTATION_BOOT_ID = `${GROUP}/boot-id`
export const ANNOTATION_POD_NETWORKS = `${GROUP}/pod-networks`
export const ANNOTATION_CAUSE = `${GROUP}/cause`
export const ANNOTATION_FAILURES = `${GROUP}/failures`
/**
 * Annotations by which a person requests a run: to configure the node, to report what would be changed, or to report drift. Any new value
 * requests a run now. The annotation is copied to the run that answers the request, and then removed.
 */
export const ANNOTATION_RETRY = `${GROUP}/retry`
export const ANNOTATION_PLAN = `${GROUP}/plan`
export const ANNOTATION_VERIFY = `${GROUP}/verify`

/** The annotations of requests, by name of the request. */
export const ASKS = { retry: ANNOTATION_RETRY, plan: ANNOTATION_PLAN, verify: ANNOTATION_VERIFY } as const
export type Ask = keyof typeof ASKS

/**
 * Label of every object of a run (`app.kubernetes.io/name`), and the ServiceAccount of its pod. It is not `multinic-agent`, because the Go
 * systems delete Jobs with that label, and uninstalling their chart deletes that account.
 */
export const RUN_APP = 'multinic-run'
/**
 * Maximum length of a run's name. Kubernetes truncates the Job's name to 58 characters in the name of a pod and appends five; a shorter
 * name is kept whole.
 */
export const RUN_NAME_MAX = 57

/** The default name of the controller's Lease. */
export const CONTROLLER_LEASE = 'multinic-controller'
/** Name of the Lease by which one mgmt process leads. */
export const MGMT_LEASE = 'multinic-mgmt'

/** Label of every object of MultiNIC, by which support bundles select objects. */
export const LABEL_PART_OF = 'app.kubernetes.io/part-of'
export const PART_OF = 'multinic'

/** Field manager of the agent's report. The admission policy rejects a report that changes fields of other managers. */
export const AGENT_MANAGER = 'multinic-agent'

/** The container of a run's pod; webhooks may add others before and after it. */
export const AGENT_CONTAINER = 'agent'

/** Keys of a run's ConfigMap: the input that the controller writes, and the report that the agent writes. */
export const CONFIG_KEY = 'config.json'
export const REPORT_KEY = 'report.json'

/** Maximum size of a report in its ConfigMap; the admission policy enforces the same limit (bytes). */
export const REPORT_MAX_BYTES = 65_536
/** The kubelet truncates a termination message to this size (bytes). */
export const TERMINATION_MAX_BYTES = 4_096

/** Limits of a report, checked before it is parsed: bytes, nesting depth of lists and objects, number of values. */
export const REPORT_BOUNDS = { bytes: REPORT_MAX_BYTES, depth: 8, values: 10_000 } as const
/** Maximum counts in a report. The agent omits excess items; the controller rejects a report that exceeds a limit. */
export const REPORT_COUNTS = {
	...{ removals: 64, warnings: 16, done: 64, drift: 64, probes: 256, notes: 64, phases: 64 },
	...{ addresses: 4, commands: 4_000, links: 256, files: 256 },
} as const

/** @returns the kernel name of the interface with this id: `multinic0` … `multinic9` */
export function interfaceName(id: number): string {
	return `multinic${id}`
}

/** @returns the default route table of an interface: 100 + id */
export function routeTable(id: number): number {
	return 100 + id
}
