import { RUN_NAME_MAX } from '../../contract/names.ts'
import type { ConfigView } from './snapshot.ts'

/** @returns `multinic-agent-<node>-g<generation>[-<attempt>]`; a long node name is cut and made unique by the uid of the node config */
export function runName({ name, uid, generation }: Pick<ConfigView, 'name' | 'uid' | 'generation'>, attempt: number): string {
	const end = `-g${generation}${attempt > 1 ? `-${attempt}` : ''}`
	const whole = `multinic-agent-${name}${end}`
	if (whole.length <= RUN_NAME_MAX) return whole
	const mark = `-${uid.replace(/[^0-9a-z]/g, '').slice(0, 8)}`
	return `multinic-agent-${name}`.slice(0, RUN_NAME_MAX - end.length - mark.length).replace(/[-.]+$/, '') + mark + end
}

/** @returns the attempt in the name of a run */
export function attemptOf(runName: string): number {
	return Number(/-g\d+-(\d+)$/.exec(runName)?.[1] ?? 1)
}
