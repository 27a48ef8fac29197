import { readFile } from 'node:fs/promises'
import { Failure } from '../../errors.ts'
import type { Credentials } from './credentials.ts'

/** Returns the token in a file as a header. The kubelet renews the file, so it is read again after a minute, and immediately after 401. */
export function bearerFromFile(path: string, now: () => number = Date.now): Credentials['headers'] {
	let header: Record<string, string> = {}
	let readAt = Number.NEGATIVE_INFINITY
	return async refused => {
		if (!refused && now() - readAt < 60_000) return header
		const token = (await mounted(path)).trim()
		if (token === '') throw new Failure('CONFIG_INVALID', `${path} is empty, expected a token`)
		header = { authorization: `Bearer ${token}` }
		readAt = now()
		return header
	}
}

/** Returns the content of a mounted file. @throws Failure CONFIG_INVALID if it cannot be read */
export async function mounted(path: string): Promise<string> {
	try {
		return await readFile(path, 'utf8')
	} catch (cause) {
		throw new Failure('CONFIG_INVALID', `${path} cannot be read`, { cause })
	}
}
