/** Something that this machine lacks, and what to do about it. */
export interface Lack {
	part: string
	remedy: string
}

/** The machine cannot host the lab: exit code 2. */
export class Missing extends Error {
	override readonly name = 'Missing'
	readonly lacks: readonly Lack[]
	constructor(lacks: readonly Lack[]) {
		super(`This machine cannot host the lab:\n${lacks.map(({ part, remedy }) => `  missing: ${part}\n  do this: ${remedy}`).join('\n')}`)
		this.lacks = lacks
	}
}
