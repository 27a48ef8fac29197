import * as z from 'zod'
import { GROUP } from '../../contract/names.ts'
import { ObjectName } from '../../runtime/env.ts'

/**
 * Settings from the chart for the pods of all runs: resources, labels, annotations and scheduling. Each is an environment variable, in JSON
 * except for the PriorityClass, and a literal in the admission policy for Jobs. Pure.
 */

const json = z.string().transform((text, context): unknown => {
	try {
		return JSON.parse(text)
	} catch {
		context.addIssue({ code: 'custom', message: 'must be JSON' })
		return z.NEVER
	}
})

/** Label keys that MultiNIC or the Job controller sets. */
const RESERVED = new RegExp(
	String.raw`^(app\.kubernetes\.io/(name|part-of)|${GROUP.replace('.', '\\.')}/.*|batch\.kubernetes\.io/.*|controller-uid|job-name)$`,
)

const LABEL_KEY = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const LabelValue = z.string().regex(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, 'must be the value of a label')

const Labels = z.record(z.string(), LabelValue).superRefine((labels, context) => {
	for (const key of Object.keys(labels)) {
		if (RESERVED.test(key)) context.addIssue({ code: 'custom', path: [key], message: 'is set by MultiNIC or Kubernetes' })
		else if (!LABEL_KEY.test(key)) context.addIssue({ code: 'custom', path: [key], message: 'must be the key of a label' })
	}
})

export const PodLabels = json.pipe(Labels)
export const PodAnnotations = json.pipe(z.record(z.string().min(1), z.string()))

/** A quantity in Kubernetes notation: `10m`, `64Mi`, 1. */
const Quantity = z.union([z.string(), z.number().transform(String)]).pipe(z.string().regex(/^[0-9.]+[a-zA-Z0-9+-]*$/, 'must be a quantity'))
const Quantities = z.record(z.string(), Quantity)
export const Resources = json.pipe(z.strictObject({ requests: Quantities.exactOptional(), limits: Quantities.exactOptional() }))

const Toleration = z.strictObject({
	key: z.string().exactOptional(),
	operator: z.enum(['Exists', 'Equal']).exactOptional(),
	value: z.string().exactOptional(),
	effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
	tolerationSeconds: z.int().exactOptional(),
})
export const Tolerations = json.pipe(z.array(Toleration))

export const PriorityClass = ObjectName

export type AgentPod = Readonly<{
	resources: z.infer<typeof Resources>
	labels: z.infer<typeof PodLabels>
	annotations: z.infer<typeof PodAnnotations>
	tolerations: z.infer<typeof Tolerations>
	/** Empty for the cluster's default. */
	priorityClassName: string
}>

/** The resources are small because a run is short; all taints are tolerated because every node needs its NICs. */
export const DEFAULT_POD: AgentPod = {
	resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
	labels: {},
	annotations: {},
	tolerations: [{ operator: 'Exists' }],
	priorityClassName: '',
}
