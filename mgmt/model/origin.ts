/** Where a secret or an endpoint comes from: the environment of mgmt, or the namespace of the OpenstackConfig (its fields and Secrets). */
export type Source = 'environment' | 'namespace'
/** `field` is the variable or the field that a user can change. */
export type Origin = { readonly source: Source; readonly field: string }

declare const made: unique symbol
/** The address of a remote system, with its source. Only this file creates one, so that each has its true source. */
export type Endpoint = Origin & {
	readonly url: string
	/** The field of the OpenstackConfig that decides which certificates are trusted there; undefined: the environment decides. */
	readonly trustField: string | undefined
	readonly [made]: true
}

type Written = readonly [field: `spec.${string}`, url: string | undefined]
type Variable = readonly [name: Uppercase<string>, url: string | undefined]

/** Returns the first field of the OpenstackConfig that is set, otherwise the variable, otherwise undefined. */
export function chosenEndpoint(fields: readonly Written[], variable: Variable | undefined, trustField?: string): Endpoint | undefined {
	for (const [field, url] of fields) if (url !== undefined) return endpoint({ source: 'namespace', field }, url, trustField)
	const [field, url] = variable ?? []
	return field === undefined || url === undefined ? undefined : endpoint({ source: 'environment', field }, url, trustField)
}

/**
 * An address that a remote system names has the source of that system. If the OpenstackConfig decides which certificates that system may
 * have, the OpenstackConfig is the source of everything that it names.
 */
export function namedBy(by: Endpoint, what: string, url: string, trustField?: string): Endpoint {
	const source = by.trustField !== undefined && isEncrypted(by) ? 'namespace' : by.source
	return endpoint({ source, field: `${what}, named by ${by.field}` }, url, trustField)
}

/** Returns the origin of a value that is derived from two others: the environment if one of them is from there. */
export function stricterOf(one: Origin, other: Origin): Origin {
	const { source, field } = one.source === 'environment' ? one : other
	return { source, field }
}

/** Reports whether an endpoint uses certificates. */
export function isEncrypted({ url }: Endpoint): boolean {
	return URL.parse(url)?.protocol === 'https:'
}

function endpoint(origin: Origin, url: string, trustField: string | undefined): Endpoint {
	// the lookbehind matches a run of slashes only where it begins: a remote system may name a URL that is slow to search
	return { ...origin, url: url.replace(/(?<!\/)\/+$/, ''), trustField } as Endpoint
}
