import { StoredInterface } from '../../contract/interface.ts'
import type { NodeConfigSpec } from '../../contract/node-config.ts'
import { MANAGER_MAX, NodeConfigView } from '../../contract/viola-api.ts'
import type { NodeConfigObject } from './node-config-kind.ts'
import { ownerIn } from './owner.ts'
import { generationOf } from './generation.ts'
import { specWriter } from './spec-writer.ts'

/** Maximum length of a view (characters). The longest that the CRD allows has about 30,000. */
const LENGTH_MAX = 65_536

/**
 * Returns the JSON of an object as GET shows it.
 *
 * An object that is older than a rule of the CRD may have values that the contract does not allow, and one invalid view would make the whole
 * list invalid for its reader. So an invalid view is reduced: first the status is omitted, then invalid interfaces, then everything that is
 * optional.
 */
export function viewText(object: NodeConfigObject): string {
	let view = viewOf(object)
	for (const reduce of reductions) {
		const text = JSON.stringify(view)
		if (text.length <= LENGTH_MAX && NodeConfigView.safeParse(view).success) return text
		view = reduce(view)
	}
	return JSON.stringify(view)
}

const reductions: readonly ((view: NodeConfigView) => NodeConfigView)[] = [withoutStatus, withValidInterfaces, bare]

function viewOf({ metadata, spec, status }: NodeConfigObject): NodeConfigView {
	const { providerId, instanceId, interfaces }: Partial<NodeConfigSpec> = spec ?? {}
	const owner = ownerIn(metadata.annotations)
	const lastManager = specWriter(metadata.managedFields)
	return {
		nodeName: metadata.name,
		...(providerId !== undefined && { providerId }),
		...(instanceId !== undefined && { instanceId }),
		interfaces: interfaces ?? [],
		...(owner && { owner }),
		deleting: metadata.deletionTimestamp !== undefined,
		generation: generationOf(metadata.generation),
		resourceVersion: metadata.resourceVersion ?? '',
		...(lastManager !== undefined && { lastManager: lastManager.slice(0, MANAGER_MAX) }),
		...(status && { status }),
	}
}

function withoutStatus({ status: _, ...view }: NodeConfigView): NodeConfigView {
	return view
}

function withValidInterfaces(view: NodeConfigView): NodeConfigView {
	const interfaces: unknown[] = Array.isArray(view.interfaces) ? view.interfaces : []
	return {
		...view,
		interfaces: interfaces.filter((nic): nic is NodeConfigView['interfaces'][number] => StoredInterface.safeParse(nic).success),
	}
}

function bare({ nodeName, deleting, generation, resourceVersion }: NodeConfigView): NodeConfigView {
	return { nodeName, interfaces: [], deleting, generation, resourceVersion }
}
