/** The source of a secret or an endpoint: the environment of mgmt, or the namespace of the OpenstackConfig (its fields and Secrets). */
export type Source = 'environment' | 'namespace'
/** `field` is the variable or the field that a user can change. */
export type Origin = { readonly source: Source; readonly field: string }

declare const made: unique symbol
/** The address of a remote system and its source. Only this file creates endpoints, so an endpoint always has its true source. */
export type Endpoint = Origin & {
	readonly url: string
	/** The field of the OpenstackConfig that determines which certificates are trusted there; undefined if the environment does. */
	readonly trustField: string | undefined
	readonly [made]: true
}

type Written = readonly [field: `spec.${string}`, url: string | undefined]
type Variable = readonly [name: Uppercase<string>, url: string | undefined]

/** Returns the first of these fields of the OpenstackConfig that is set, otherwise the variable, otherwise undefined. */
export function chosenEndpoint(fields: readonly Written[], variable: Variable | undefined, trustField?: string): Endpoint | undefined {
	for (const [field, url] of fields) if (url !== undefined) return endpoint({ source: 'namespace', field }, url, trustField)
	const [field, url] = variable ?? []
	return field === undefined || url === undefined ? undefined : endpoint({ source: 'environment', field }, url, trustField)
}

/**
 * Returns the endpoint for an address that another remote system returned. It has the source of that system. If the OpenstackConfig
 * determines which certificates are trusted for that system, everything that the system returns is treated as coming from the
 * OpenstackConfig.
 */
export function namedBy(by: Endpoint, what: string, url: string, trustField?: string): Endpoint {
	const source = by.trustField !== undefined && isEncrypted(by) ? 'namespace' : by.source
	return endpoint({ source, field: `${what}, named by ${by.field}` }, url, trustField)
}

/** Returns the origin of a value that is derived from two others: the environment if either of them comes from it. */
export function stricterOf(one: Origin, other: Origin): Origin {
	const { source, field } = one.source === 'environment' ? one : other
	return { source, field }
}

/** Returns whether an endpoint uses TLS. */
export function isEncrypted({ url }: Endpoint): boolean {
	return URL.parse(url)?.protocol === 'https:'
}

function endpoint(origin: Origin, url: string, trustField: string | undefined): Endpoint {
	// the lookbehind starts a match only at the beginning of a run of slashes: a remote system may return a URL that takes long to search
	return { ...origin, url: url.replace(/(?<!\/)\/+$/, ''), trustField } as Endpoint
}
