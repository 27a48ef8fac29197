import { isKubeFailure } from '../../runtime/kube/index.ts'

/** @returns what was found; undefined if the user may not read it */
export async function unlessForbidden<T>(asked: Promise<T>): Promise<{ found: T } | undefined> {
	try {
		return { found: await asked }
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return undefined
		throw error
	}
}
