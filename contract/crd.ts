import * as z from 'zod'

export type PrinterColumn = { name: string; type: string; jsonPath: string; priority?: number; description?: string }
export type CrdNames = { kind: string; plural: string; singular: string; listKind: string; shortNames: string[]; categories: string[] }
export type CrdVersion = { name: string; storage: boolean; deprecationWarning?: string }
export type Crd = {
	group: string
	names: CrdNames
	versions: CrdVersion[]
	schema: z.ZodType
	columns: PrinterColumn[]
	selectableFields?: string[]
}

type Json = Record<string, unknown>

/** @returns the CustomResourceDefinition manifest; all versions have the same schema, so they need no conversion */
export function customResourceDefinition(crd: Crd): Json {
	return {
		apiVersion: 'apiextensions.k8s.io/v1',
		kind: 'CustomResourceDefinition',
		metadata: { name: `${crd.names.plural}.${crd.group}` },
		spec: {
			group: crd.group,
			names: crd.names,
			scope: 'Namespaced',
			conversion: { strategy: 'None' },
			versions: crd.versions.map(version => crdVersion(version, crd)),
		},
	}
}

function crdVersion(version: CrdVersion, { schema, columns, selectableFields }: Crd): Json {
	return {
		name: version.name,
		served: true,
		storage: version.storage,
		...(version.deprecationWarning && { deprecated: true, deprecationWarning: version.deprecationWarning }),
		subresources: { status: {} },
		...(selectableFields && { selectableFields: selectableFields.map(jsonPath => ({ jsonPath })) }),
		additionalPrinterColumns: columns,
		schema: { openAPIV3Schema: openApiSchema(schema) },
	}
}

/**
 * Converts a schema to OpenAPI. The output of zod is almost a structural schema; whatever Kubernetes rejects or warns about is removed
 * here.
 */
export function openApiSchema(schema: z.ZodType): Json {
	return z.toJSONSchema(schema, {
		target: 'openapi-3.0',
		io: 'input',
		reused: 'inline',
		unrepresentable: 'throw',
		override: ({ jsonSchema }) => {
			dropUnsafeBounds(jsonSchema as Json)
			if (jsonSchema.properties) delete jsonSchema.additionalProperties
		},
	}) as Json
}

/** Removes the bounds ±(2^53 - 1) of an unbounded z.int(), which a CRD does not need. */
function dropUnsafeBounds(json: Json): void {
	if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
	if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum
}
