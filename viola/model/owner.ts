import { ANNOTATION_OWNER } from '../../contract/names.ts'
import { Owner } from '../../contract/viola-api.ts'

/** Returns the owner in the annotations of a node config; undefined if it is missing or invalid. */
export function ownerIn(annotations: Readonly<Record<string, string>> = {}): Owner | undefined {
	const text = annotations[ANNOTATION_OWNER]
	if (text === undefined || text.length > LENGTH_MAX) return undefined
	try {
		return Owner.safeParse(JSON.parse(text)).data
	} catch {
		return undefined // not JSON
	}
}

/** Maximum length of the annotation that is parsed (characters); the longest valid one has fewer. */
const LENGTH_MAX = 1_024

/** Returns the value of the annotation. */
export function ownerText({ namespace, name, uid }: Owner): string {
	return JSON.stringify({ namespace, name, uid })
}
