import { RUN_NAME_MAX } from './names.ts'

/** The name of a run, which its ConfigMap and its Job have. Pure. */

/** The fields of a node config that are part of the name. */
type Named = { name: string; uid: string; generation: number }

/**
 * @returns `multinic-agent-<node>-g<generation>[-<attempt>]`; a long node name is truncated, and the uid of the node config makes it unique
 */
export function runName({ name, uid, generation }: Named, attempt: number): string {
	const end = `-g${generation}${attempt > 1 ? `-${attempt}` : ''}`
	const whole = `multinic-agent-${name}${end}`
	if (whole.length <= RUN_NAME_MAX) return whole
	const mark = `-${uid.replace(/[^0-9a-z]/g, '').slice(0, 8)}`
	return `multinic-agent-${name}`.slice(0, RUN_NAME_MAX - end.length - mark.length).replace(/[-.]+$/, '') + mark + end
}

/** @returns the generation and the attempt in the name of a run; undefined if the string is not such a name */
export function countsIn(run: string): { generation: number; attempt: number } | undefined {
	const [, generation, attempt = '1'] = /-g(\d+)(?:-(\d+))?$/.exec(run) ?? []
	return generation === undefined ? undefined : { generation: Number(generation), attempt: Number(attempt) }
}

/** @returns the attempt in the name of a run; 1 if the name contains none */
export function attemptOf(run: string): number {
	return countsIn(run)?.attempt ?? 1
}
