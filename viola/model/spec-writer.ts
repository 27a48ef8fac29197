type ManagedFields = { manager?: string; subresource?: string; time?: string; fieldsV1?: object }

/** Returns the field manager of the last write of the spec, or undefined if the API server does not report it. */
export function specWriter(managedFields: readonly ManagedFields[] = []): string | undefined {
	const writers = managedFields.filter(({ subresource, fieldsV1 }) => !subresource && fieldsV1 !== undefined && 'f:spec' in fieldsV1)
	return writers.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)).at(-1)?.manager
}
