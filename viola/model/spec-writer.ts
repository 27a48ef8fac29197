import * as z from 'zod'

/** Returns the field manager of the last write of the spec, or undefined if the API server does not report it. Accepts any value. */
export function specWriter(managedFields: unknown): string | undefined {
	const writers = (Array.isArray(managedFields) ? managedFields : []).flatMap(one => SpecWrite.safeParse(one).data ?? [])
	return writers.toSorted((a, b) => (a.time < b.time ? -1 : 1)).at(-1)?.manager
}

const SpecWrite = z.object({
	manager: z.string(),
	subresource: z.literal('').optional(),
	time: z.string().default(''),
	fieldsV1: z.object({ 'f:spec': z.unknown() }).refine(fields => 'f:spec' in fields),
})
