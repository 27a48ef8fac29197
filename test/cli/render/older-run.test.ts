import { expect, test } from 'vitest'
import { notThePresent, type ShownRun } from '../../../cli/render/older-run.ts'
import type { ConfigView } from '../../../cli/model/node-config-view.ts'
import { config, configured, failed } from '../fixtures.ts'

const run = (name: string, generation = 3, uid = 'uid-w'): ShownRun => ({ name, generation, uid })
const last = (lastJobName: string) => config('w', configured, { status: { lastJobName } })

test.each<[title: string, run: ShownRun, config: ConfigView | undefined, said: string | undefined]>([
	['the last run', run('multinic-agent-w-g3'), last('multinic-agent-w-g3'), undefined],
	['a later read-only run', run('multinic-agent-w-g3-2'), last('multinic-agent-w-g3'), undefined],
	['a run of this generation whose result is not in the status yet', run('multinic-agent-w-g3'), last('multinic-agent-w-g2-4'), undefined],
	['a run without labels', { name: 'run-1', uid: undefined, generation: Number.NaN }, last('multinic-agent-w-g3'), undefined],
	[
		'a run before the last of the same generation',
		run('multinic-agent-w-g3'),
		last('multinic-agent-w-g3-2'),
		'run multinic-agent-w-g3 is not the last run, which is multinic-agent-w-g3-2. See its log with: kubectl multinic logs w --run multinic-agent-w-g3-2',
	],
	[
		'the ninth run before the tenth',
		run('multinic-agent-w-g3-9'),
		last('multinic-agent-w-g3-10'),
		'run multinic-agent-w-g3-9 is not the last run, which is multinic-agent-w-g3-10. See its log with: kubectl multinic logs w --run multinic-agent-w-g3-10',
	],
	[
		'a run of an older generation',
		run('multinic-agent-w-g2', 2),
		config('w', failed),
		'run multinic-agent-w-g2 belongs to generation 2, not to the current generation 3, which is Failed (PartlyFailed): multinic1: no link has the MAC yet. See its current state with: kubectl multinic get w',
	],
	[
		'a run of an older generation if the current generation was not observed',
		run('multinic-agent-w-g2', 2),
		config('w', configured, { status: { observedGeneration: 2 } }),
		'run multinic-agent-w-g2 belongs to generation 2, not to the current generation 3, which the controller has not observed yet. See its current state with: kubectl multinic get w',
	],
	[
		'a run of an earlier node config of the same name',
		run('multinic-agent-w-g3', 3, 'uid-before'),
		config('w', configured),
		'run multinic-agent-w-g3 belongs to an earlier node config of w, which was deleted. See its current state with: kubectl multinic get w',
	],
	[
		'a run whose node config is deleted',
		run('multinic-agent-w-g3'),
		undefined,
		'run multinic-agent-w-g3 belongs to a deleted node config; node config w no longer exists.',
	],
])('%s', (_, shown, now, said) => {
	expect(notThePresent(shown, 'w', now)).toBe(said)
})
