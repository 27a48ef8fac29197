/** A prerequisite that this machine lacks, and how to provide it. */
export interface Lack {
	part: string
	remedy: string
}

/** This machine cannot host the lab. The lab exits with code 2. */
export class Missing extends Error {
	override readonly name = 'Missing'
	readonly lacks: readonly Lack[]
	constructor(lacks: readonly Lack[]) {
		super(`This machine cannot host the lab:\n${lacks.map(({ part, remedy }) => `  missing: ${part}\n  do this: ${remedy}`).join('\n')}`)
		this.lacks = lacks
	}
}
