import { createHash } from 'node:crypto'
import { settle } from '../contract/interface.ts'
import { NodeConfigSpec } from '../contract/node-config.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { ConfigMap } from '../runtime/kube/kinds.ts'
import type { Caches } from './caches.ts'
import { currentRun, hasEnded, isTold } from './runs.ts'
import type { RunSettings, Snapshot } from './snapshot.ts'
import { configMapView } from './view.ts'

/**
 * Reads everything a decision about one node config looks at, from the caches.
 *
 * @param key `namespace/name`
 * @returns undefined when there is no such node config
 */
export function gather(caches: Caches, settings: RunSettings, key: string, now: number): Snapshot | undefined {
	const config = caches.config(key)
	if (!config) return undefined
	const spec = readSpec(config.rawSpec)
	const specHash = sha256('value' in spec ? settle(spec.value.interfaces) : config.rawSpec)
	const { runs } = caches
	return { now, settings, config, spec, specHash, node: caches.node(config.name), runs: runs.runsOf(config.name), running: runs.active }
}

/**
 * Looks at the ConfigMap itself before a run counts as lost: the watch of Jobs may be ahead of that of ConfigMaps.
 *
 * @returns whether there was something to look up, so that the snapshot must be taken again
 */
export async function confirmLoss(client: KubeClient, caches: Caches, snapshot: Snapshot, signal: AbortSignal): Promise<boolean> {
	const run = currentRun(snapshot)
	if (!run?.hasConfigMap || run.report || run.reportFault || !hasEnded(run) || isTold(snapshot, run)) return false
	const { namespace } = snapshot.config
	const found = await client.find(ConfigMap, { namespace, name: run.name }, { signal })
	if (found) caches.wrote.readConfigMap(configMapView(found))
	return found !== undefined
}

/** What the API server lets through and we do not: `spec.interfaces[0].routes[1].to: must be …`. */
function readSpec(raw: unknown): Snapshot['spec'] {
	const parsed = NodeConfigSpec.safeParse(raw)
	if (parsed.success) return { value: parsed.data }
	return { fault: parsed.error.issues.map(({ path, message }) => `${pathOf(path)}: ${message}`).join('; ') }
}

function pathOf(path: readonly PropertyKey[]): string {
	return path.reduce<string>((text, step) => `${text}${typeof step === 'number' ? `[${step}]` : `.${String(step)}`}`, 'spec')
}

/** Of the JSON with sorted keys: how an object was written must not matter. */
function sha256(value: unknown): string {
	const sorted = (_: string, part: unknown) =>
		typeof part === 'object' && part !== null && !Array.isArray(part)
			? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
			: part
	return createHash('sha256')
		.update(JSON.stringify(value, sorted) ?? '')
		.digest('hex')
}
