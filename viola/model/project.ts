import { contentText } from './content.ts'
import { digestOf } from './digest.ts'
import type { Entry } from './entry.ts'
import { generationOf } from './generation.ts'
import type { NodeConfigObject } from './node-config-kind.ts'
import { ownerIn } from './owner.ts'
import { viewText } from './view.ts'

/** Returns the data that viola keeps of an object. Never throws, whatever users or earlier systems have written. */
export function project(object: NodeConfigObject): Entry {
	const { name, generation, resourceVersion, deletionTimestamp, annotations } = object.metadata
	return {
		nodeName: name,
		generation: generationOf(generation),
		resourceVersion: resourceVersion ?? '',
		isDeleting: deletionTimestamp !== undefined,
		digest: digestOf(contentText(object)),
		owner: ownerIn(annotations),
		view: viewText(object),
	}
}
