import { type RawBuilder, sql } from 'kysely'

/** Returns the condition that one of the columns contains `q`, ignoring the case of ASCII letters. */
export function containing(q: string, columns: readonly string[]): RawBuilder<boolean> {
	const word = q.toLowerCase()
	return sql<boolean>`(${sql.join(
		columns.map(column => sql`instr(lower(${sql.ref(column)}), ${word}) > 0`),
		sql` or `,
	)})`
}

/** Returns the condition that one of the columns is `q`, in lower case or as written. Indexes answer it. */
export function equalling(q: string, columns: readonly string[]): RawBuilder<boolean> {
	const words = [...new Set([q, q.toLowerCase()])]
	return sql<boolean>`(${sql.join(
		columns.map(column => sql`${sql.ref(column)} in (${sql.join(words)})`),
		sql` or `,
	)})`
}
