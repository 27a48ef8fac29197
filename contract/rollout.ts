import * as z from 'zod'

/** How changes go through a fleet: the settings people write, and the two judgements that the controller and the CLI must make alike. */

/** The ConfigMap, in the controller's namespace, that is read live; every key may be left out. */
export const ROLLOUT_CONFIG_MAP = 'multinic-rollout'

/**
 * The ConfigMap by which a person pauses the rollout, whatever the settings say. No chart has it, so that neither GitOps nor server-side apply
 * undoes it or refuses it.
 */
export const ROLLOUT_PAUSE = 'multinic-rollout-pause'
/** The ConfigMap in which the controller, and nobody else, writes down who stops the rollout. */
export const ROLLOUT_STOP = 'multinic-rollout-stop'

const whole = (least: number, most: number) =>
	z
		.string()
		.regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`)
		.transform(Number)
		.pipe(z.int().min(least).max(most))

/** Values of a ConfigMap are text. */
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

/** @returns the settings, or the sentence that says which key is wrong */
export function readRollout(data: Readonly<Record<string, string>> | undefined): { value: RolloutSettings } | { fault: string } {
	const parsed = RolloutSettings.safeParse(data ?? {})
	if (parsed.success) return { value: parsed.data }
	return { fault: parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ') }
}

/** Who pauses the rollout: the settings, and whoever said `kubectl multinic pause`. */
export type PausedBy = { chart: boolean; person: boolean }

/** What holds for the rollout: the settings, paused if either says so, or why they cannot be used. */
export type Rollout = ({ value: RolloutSettings } | { fault: string }) & { pausedBy: PausedBy }

type Data = Readonly<Record<string, string>> | undefined

/** @param settings data of ConfigMap multinic-rollout @param pause data of ConfigMap multinic-rollout-pause; undefined where there is none */
export function rolloutOf(settings: Data, pause: Data): Rollout {
	const read = readRollout(settings)
	const person = pause?.paused === 'true'
	if ('fault' in read) return { ...read, pausedBy: { chart: false, person } }
	return { value: { ...read.value, paused: read.value.paused || person }, pausedBy: { chart: read.value.paused, person } }
}

/** @returns how many of so many nodes may be changed at once: at least 1 */
export function waveLimit(maxUnavailable: string, nodes: number): number {
	const figure = Number.parseInt(maxUnavailable, 10)
	return Math.max(1, maxUnavailable.endsWith('%') ? Math.floor((nodes * figure) / 100) : figure)
}

/** What decides a node's place in a rollout. */
export type Place = {
	name: string
	controlPlane: boolean
	/** No run was made for the node config yet. */
	isNew: boolean
}

/** Whether no run was made yet for a node config with this status. */
export function hasNeverRun({ lastJobName }: { lastJobName?: string | undefined }): boolean {
	return lastJobName === undefined
}

/**
 * The order of a rollout: workers first, then the control plane. Of each, new node configs last, so that however many come, a change to another
 * does not wait for them; by name, so that the order is the same every time.
 */
export function rolloutOrder(a: Place, b: Place): number {
	if (a.controlPlane !== b.controlPlane) return a.controlPlane ? 1 : -1
	if (a.isNew !== b.isNew) return a.isNew ? 1 : -1
	return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** Labels of a Node that make it one of the control plane; the second is the one before Kubernetes 1.20. */
export const CONTROL_PLANE_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']
