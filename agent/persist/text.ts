import type { FileState } from '../host/state.ts'

/** What files of others hold, as text. */

/** @returns the text of a file without lines that are comments */
export const bareText = once(({ content }: FileState) => withoutComments(content))

/** @returns a function that makes a value of an object once, and remembers it as long as the object is there */
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

/** @returns the value of a key of an INI file; the first, where there are several */
export function keyOf(content: string, key: string): string | undefined {
	return new RegExp(`^${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(content)?.[1]
}

/** @returns the value of a variable of a shell script, without quotes; the first, where there are several */
export function shellKeyOf(content: string, key: string): string | undefined {
	return new RegExp(`^\\s*${key}=["']?([^"'\\s]*)`, 'm').exec(content)?.[1]
}
