/** A value in a configuration file. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml | undefined }

/**
 * Formats block YAML with every string and key quoted as in JSON, which YAML parses in the same way, so that external input always stays a
 * string. Keys whose value is undefined are omitted.
 */
export function yaml(value: Yaml, indent = ''): string {
	if (typeof value !== 'object') return `${indent}${JSON.stringify(value)}\n`
	if (isList(value)) return value.map(item => `${indent}- ${yaml(item, `${indent}  `).trimStart()}`).join('')
	return Object.entries(value)
		.map(([key, item]) => entry(key, item, indent))
		.join('')
}

function entry(key: string, value: Yaml | undefined, indent: string): string {
	if (value === undefined) return ''
	if (typeof value === 'object' && Object.keys(value).length === 0) return `${indent}${JSON.stringify(key)}: ${JSON.stringify(value)}\n`
	if (typeof value !== 'object') return `${indent}${JSON.stringify(key)}: ${JSON.stringify(value)}\n`
	return `${indent}${JSON.stringify(key)}:\n${yaml(value, `${indent}  `)}`
}

function isList(value: Yaml): value is readonly Yaml[] {
	return Array.isArray(value)
}
