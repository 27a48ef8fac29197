/** Maps each file to the files that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** @returns the groups of files that import each other, directly or indirectly; each group is one line, with its files sorted */
export function importCircles(graph: ImportGraph): string[] {
	const reached = new Map([...graph.keys()].map(file => [file, reachedFrom(file, graph)]))
	const circles = [...reached].flatMap(([file, files]) => {
		const members = [...files].filter(other => reached.get(other)?.has(file))
		return members.length > 0 ? [members.toSorted().join(' ')] : []
	})
	return [...new Set(circles)].toSorted()
}

/** @returns the files that a file imports, directly or indirectly; contains the file itself only if it is part of a cycle */
function reachedFrom(file: string, graph: ImportGraph): Set<string> {
	const found = new Set<string>()
	const open = [...(graph.get(file) ?? [])]
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		if (found.has(next)) continue
		found.add(next)
		open.push(...(graph.get(next) ?? []))
	}
	return found
}

/** @returns the imports between directories, `from → to`, each with one file that contains such an import */
export function folderImports(graph: ImportGraph): { from: string; to: string; file: string }[] {
	const all = [...graph].flatMap(([file, targets]) => targets.map(target => ({ from: folderOf(file), to: folderOf(target), file })))
	const between = all.filter(({ from, to }) => from !== to)
	return [...new Map(between.map(one => [`${one.from} ${one.to}`, one])).values()]
}

/** @returns the pairs of directories that import each other, as lines `a <-> b` */
export function mutualFolders(graph: ImportGraph): string[] {
	const imports = folderImports(graph)
	const pairs = imports.filter(({ from, to }) => from < to && imports.some(other => other.from === to && other.to === from))
	return pairs.map(({ from, to }) => `${from} <-> ${to}`).toSorted()
}

/** @returns the directory of a file, without a trailing slash */
export function folderOf(file: string): string {
	return file.slice(0, file.lastIndexOf('/'))
}
