import { isKubeFailure } from '../../runtime/kube/index.ts'

/** @returns the result of a read request; undefined if the user is not allowed to send it */
export async function unlessForbidden<T>(asked: Promise<T>): Promise<{ found: T } | undefined> {
	try {
		return { found: await asked }
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return undefined
		throw error
	}
}
