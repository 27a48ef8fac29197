import type { FileState } from '../model/host-state.ts'
import { once } from '../model/memoize.ts'

/** Extracts text from files that are not managed by MultiNIC. */

/** @returns the text of a file without comment lines */
export const bareText = once(({ content }: FileState) => withoutComments(content))

export function withoutComments(content: string): string {
	return content
		.split('\n')
		.filter(line => !/^\s*[#;]/.test(line))
		.join('\n')
}

/** @returns the value of a shell variable, without quotes; the last if there are several */
export function shellKeyOf(content: string, key: string): string | undefined {
	const values = content.split('\n').flatMap(line => new RegExp(`^\\s*${key}=["']?([^"'\\s]*)`).exec(line)?.[1] ?? [])
	return values.at(-1)
}
