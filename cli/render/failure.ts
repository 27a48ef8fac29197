import { clean } from '../../contract/clean.ts'
import { type Failure, wordsOf } from '../../runtime/errors.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'

/** @returns one sentence about what failed and what to do; it never contains a stack trace or a secret. Pure. */
export function sentenceOf(error: unknown): string {
	return clean(words(error)).trim()
}

function words(error: unknown): string {
	if (isKubeFailure(error, 'FORBIDDEN')) return forbidden(error)
	if (isKubeFailure(error, 'UNAUTHORIZED')) return 'Unauthorized: the token or client certificate in the kubeconfig is invalid or expired'
	if (isKubeFailure(error, 'NOT_FOUND') && isCollection(error))
		return 'MultiNIC is not installed in this cluster (resource multinicnodeconfigs not found); check --context'
	return wordsOf(error)
}

/** Reports whether the kind itself is missing: the API server then answers 404 without the reason NotFound. */
function isCollection({ facts }: Failure): boolean {
	return String(facts.request).includes('/multinicnodeconfigs') && facts.reason !== 'NotFound'
}

const said = /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/

/** Returns a sentence with the verb and the resource that the user may not use, in the terms of a Role. */
function forbidden(error: Failure): string {
	const [, object, going] = /^(\S+ "[^"]+") is forbidden: unable to create new content in namespace (\S+) because/.exec(error.message) ?? []
	if (going !== undefined)
		return `namespace ${going} is being deleted, so ${object} cannot be created in it; install MultiNIC again after the deletion`
	const match = said.exec(error.message)
	if (!match) return `not allowed: ${error.message}`
	const [, user = '', verb = '', resource = '', group = '', namespace] = match
	const what = group === '' ? resource : `${resource}.${group}`
	const where = namespace === undefined ? 'at the cluster scope' : `in namespace ${namespace}`
	return `user ${user} cannot ${verb} ${what} ${where}; ask for a role that allows it`
}
