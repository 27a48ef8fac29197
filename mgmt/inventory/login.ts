import { readFileSync, statSync } from 'node:fs'
import { Failure, wordsOf } from '../../runtime/errors.ts'
import type { MariaLogin } from './settings.ts'

/** Reads what a new connection needs. Files are read each time, because the kubelet rewrites them when a Secret changes. */
export function readLogin(login: MariaLogin): { user: string; password: string; ca?: string } {
	return {
		user: login.user ?? textOf(login.userFile),
		password: login.password ?? textOf(login.passwordFile),
		...(login.caFile !== undefined && { ca: textOf(login.caFile) }),
	}
}

/** A bundle of certificates has some hundred kilobytes; a name or a password is far shorter. */
const FILE_MAX = 1024 * 1024

/** @throws Failure CredentialsUnreadable */
function textOf(path: string | undefined): string {
	if (path === undefined) return ''
	try {
		if (statSync(path).size > FILE_MAX) throw new Error(`${path}: has more than ${FILE_MAX} bytes`)
		return readFileSync(path, 'utf8').trim()
	} catch (cause) {
		throw new Failure('CredentialsUnreadable', wordsOf(cause), { retry: true, cause })
	}
}
