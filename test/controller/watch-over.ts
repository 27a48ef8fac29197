import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { NodeConfig, type NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { Job } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { namespace } from './plane.ts'
import { isOver } from './survival.ts'

const log = createLog('test', { level: 'silent' })

/** Collects the reported states and the violations of the invariants. Both collections grow as events arrive. */
export function watchOver(admin: KubeClient, succeeded: ReadonlySet<string>, signal: AbortSignal) {
	const broken: string[] = []
	const told = new Map<string, string>()
	const active = new Map<string, Set<string>>()
	const jobs = startReflector({
		...{ client: admin, kind: Job, namespace, log, signal },
		onChange: (key, job, before) => {
			const node = nodeOf(job ?? before) ?? ''
			const onNode = active.get(node) ?? new Set()
			if (job && !isOver(job)) active.set(node, onNode.add(key))
			else onNode.delete(key)
			// after a relist, a watch may report that a Job has finished only after the next Job was reported
			const together = [...onNode].filter(one => !isGone(jobs.store.get(one)))
			if (together.length > 1) broken.push(`two concurrent runs on ${node}: ${together.join(', ')}`)
		},
	})
	const onChange = (_: string, config: Stored<NodeConfigObject> | undefined) => {
		if (!config) return
		const { metadata, status = {} } = config
		const { state, observedGeneration: generation = 0 } = status as NodeConfigStatus
		told.set(metadata.name, `${state} ${generation}`)
		if (state !== 'Configured' || succeeded.has(keyOf({ uid: metadata.uid, generation }))) return
		broken.push(`${metadata.name} is reported as Configured in generation ${generation}, where no run succeeded`)
	}
	startReflector({ client: admin, kind: NodeConfig, namespace, log, signal, onChange })
	return { broken, told }
}

/** Returns a key for one generation of a node config. */
export function keyOf({ uid, generation }: { uid: string; generation: number }): string {
	return `${uid} ${generation}`
}

function nodeOf(job: Stored<Job> | undefined): string | undefined {
	return job?.spec?.template.spec?.nodeName
}

function isGone(job: Job | undefined): boolean {
	return !job || isOver(job)
}
