import * as z from 'zod'

/** How changes are rolled out to all nodes: the settings, and the decisions that the controller and the CLI must make in the same way. */

/** The ConfigMap with the settings of the rollout, in the controller's namespace. Changes apply immediately; every key is optional. */
export const ROLLOUT_CONFIG_MAP = 'multinic-rollout'

/**
 * The ConfigMap by which a user pauses the rollout, regardless of the settings. It is not part of the chart, so that neither GitOps nor
 * server-side apply reverts or rejects the change.
 */
export const ROLLOUT_PAUSE = 'multinic-rollout-pause'
/** The ConfigMap in which the controller records the node configs that stop the rollout. Only the controller writes it. */
export const ROLLOUT_STOP = 'multinic-rollout-stop'

const whole = (least: number, most: number) =>
	z
		.string()
		.regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
		.transform(Number)
		.pipe(z.int().min(least).max(most))

/** The settings in the ConfigMap. All values are strings. */
export const RolloutSettings = z.strictObject({
	paused: z
		.enum(['true', 'false'], 'must be true or false')
		.default('false')
		.transform(text => text === 'true')
		.describe('true: start no runs that change a node'),
	maxUnavailable: z
		.string()
		.regex(/^([1-9]\d{0,5}|([1-9]\d?|100)%)$/, 'must be a number of nodes such as 3, or a percentage such as 10%')
		.default('10%')
		.describe(
			'Maximum number of nodes changed concurrently: a number, or a percentage of the node configs whose node exists, rounded down, at least 1',
		),
	verifyIntervalSeconds: whole(0, 2_592_000).prefault('3600').describe('Interval of the verification of each node; 0 disables it'),
	maxVerifications: whole(1, 1_000).prefault('5').describe('Maximum number of concurrent verifications'),
	repairsPerHour: whole(0, 5).prefault('3').describe('Maximum number of repairs per node and hour; 0 only reports drift'),
})
export type RolloutSettings = z.infer<typeof RolloutSettings>

/** @returns the settings, or a message that names the invalid key */
export function readRollout(data: Readonly<Record<string, string>> | undefined): { value: RolloutSettings } | { fault: string } {
	const parsed = RolloutSettings.safeParse(data ?? {})
	if (parsed.success) return { value: parsed.data }
	return { fault: parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ') }
}

/** What pauses the rollout: the settings of the chart, `kubectl multinic pause`, or both. */
export type PausedBy = { chart: boolean; person: boolean }

/** The effective settings, which are paused if either source pauses the rollout; or why the settings are invalid. */
export type Rollout = ({ value: RolloutSettings } | { fault: string }) & { pausedBy: PausedBy }

type Data = Readonly<Record<string, string>> | undefined

/**
 * @param settings data of ConfigMap multinic-rollout
 * @param pause data of ConfigMap multinic-rollout-pause; undefined if it does not exist
 */
export function rolloutOf(settings: Data, pause: Data): Rollout {
	const read = readRollout(settings)
	const person = isPausedBy(pause)
	if ('fault' in read) return { ...read, pausedBy: { chart: false, person } }
	return { value: { ...read.value, paused: read.value.paused || person }, pausedBy: { chart: read.value.paused, person } }
}

/** Whether the data of ConfigMap multinic-rollout-pause pauses the rollout. */
export function isPausedBy(pause: Data): boolean {
	return pause?.paused === 'true'
}

/** @returns the maximum number of nodes that may be changed concurrently: at least 1 */
export function waveLimit(maxUnavailable: string, nodes: number): number {
	const figure = Number.parseInt(maxUnavailable, 10)
	return Math.max(1, maxUnavailable.endsWith('%') ? Math.floor((nodes * figure) / 100) : figure)
}

/** What determines a node's position in a rollout. */
export type Place = {
	name: string
	controlPlane: boolean
	/** The node config has not had a run yet. */
	isNew: boolean
}

/** Returns whether a node config with this status has not had a run yet. */
export function hasNeverRun({ lastJobName }: { lastJobName?: string | undefined }): boolean {
	return lastJobName === undefined
}

/**
 * Compares two places in rollout order: workers first, then the control plane. In each group, new node configs come last, so that a change
 * to an existing one does not wait for any number of new ones; then by name, so that the order is always the same.
 */
export function rolloutOrder(a: Place, b: Place): number {
	if (a.controlPlane !== b.controlPlane) return a.controlPlane ? 1 : -1
	if (a.isNew !== b.isNew) return a.isNew ? 1 : -1
	return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** Labels of control-plane Nodes; the second was used before Kubernetes 1.20. */
export const CONTROL_PLANE_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']
