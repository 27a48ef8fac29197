import type { FileState } from '../host/state.ts'

/** Extracts text from files that are not managed by MultiNIC. */

/** @returns the text of a file without comment lines */
export const bareText = once(({ content }: FileState) => withoutComments(content))

/** @returns a function that computes a value for an object once, and keeps it as long as the object exists */
export function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
	const made = new WeakMap<K, { value: V }>()
	return key => {
		const found = made.get(key) ?? { value: make(key) }
		made.set(key, found)
		return found.value
	}
}

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
