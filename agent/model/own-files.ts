import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'
import type { FileState } from './host-state.ts'
import { CLOUD_INIT_OFF, generated, pathsOf, rulePath } from './paths.ts'

/** An interface as MultiNIC's own files define it. These files begin with the same line, whatever the backend. */
export type OwnFiles = { id: number; name: string; mac: string; files: Readonly<Record<string, string>> }

/** @returns the interfaces that MultiNIC's files on a host define, each with its files, path → content */
export function ownFiles(files: Readonly<Record<string, FileState>>): OwnFiles[] {
	return Array.from({ length: MAX_INTERFACES }, (_, id) => id).flatMap(id => {
		const name = interfaceName(id)
		const rule = files[rulePath(name)]?.content ?? ''
		const mac = /ATTR\{address\}=="([0-9a-f:]{17})"/.exec(rule)?.[1]
		if (!rule.startsWith(HEAD) || mac === undefined) return []
		const made = Object.values(generated).map(of => of(name))
		const own = [...pathsOf(name), CLOUD_INIT_OFF].flatMap(path => {
			const content = files[path]?.content
			return content !== undefined && (content.startsWith(HEAD) || made.includes(path)) ? [[path, content] as const] : []
		})
		return [{ id, name, mac, files: Object.fromEntries(own) }]
	})
}

/** @returns whether an address or a network is in one of the files, as a separate word */
export function isIn({ files }: OwnFiles, word: string): boolean {
	const spelled = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
	const pattern = new RegExp(`(^|[^0-9a-f.:])${spelled}($|[^0-9a-f.:])`, 'm')
	return Object.values(files).some(content => pattern.test(content))
}

/** The first line of every file that is managed by MultiNIC. */
export const HEAD = '# MultiNIC wrote this and will write it again. Change the MultiNicNodeConfig instead.\n'
