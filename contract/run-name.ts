import { RUN_NAME_MAX } from './names.ts'

/** The name that all objects of a run have. Pure. */

/** The node config of a run, as far as it is part of the name. */
type Named = { name: string; uid: string; generation: number }

/** @returns `multinic-agent-<node>-g<generation>[-<attempt>]`; a long node name is cut and made unique by the uid of the node config */
export function runName({ name, uid, generation }: Named, attempt: number): string {
	const end = `-g${generation}${attempt > 1 ? `-${attempt}` : ''}`
	const whole = `multinic-agent-${name}${end}`
	if (whole.length <= RUN_NAME_MAX) return whole
	const mark = `-${uid.replace(/[^0-9a-z]/g, '').slice(0, 8)}`
	return `multinic-agent-${name}`.slice(0, RUN_NAME_MAX - end.length - mark.length).replace(/[-.]+$/, '') + mark + end
}

/** @returns the generation and the attempt in the name of a run; undefined if it is not such a name */
export function countsIn(run: string): { generation: number; attempt: number } | undefined {
	const [, generation, attempt = '1'] = /-g(\d+)(?:-(\d+))?$/.exec(run) ?? []
	return generation === undefined ? undefined : { generation: Number(generation), attempt: Number(attempt) }
}

/** @returns the attempt in the name of a run; 1 if it has none */
export function attemptOf(run: string): number {
	return countsIn(run)?.attempt ?? 1
}
