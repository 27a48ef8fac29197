/** The part of an OpenAPI document that the page shows. */
export type ApiDocument = {
	info: { title: string; version: string; description?: string }
	paths?: Record<string, Record<string, Operation>>
}
type Operation = {
	summary?: string
	description?: string
	parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
	requestBody?: { content?: Record<string, { schema?: Schema }> }
	responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>
}
type Schema = Readonly<Record<string, unknown>>

/** Returns an OpenAPI document as one HTML page without scripts. Pure. */
export function apiPage({ info, paths = {} }: ApiDocument): string {
	const operations = Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ id: `${method} ${path}`, method: method.toUpperCase(), path, operation })),
	)
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(info.title)}</title>
<style>${style}</style></head><body>
<h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1>
<p>${escaped(info.description ?? '')}</p>
<p>The OpenAPI document: <a href="openapi.yaml">openapi.yaml</a>, <a href="openapi.json">openapi.json</a></p>
<ul>${operations.map(({ id, operation }) => `<li><a href="#${anchor(id)}"><code>${escaped(id)}</code></a> ${escaped(operation.summary ?? '')}</li>`).join('\n')}</ul>
${operations.map(({ id, method, path, operation }) => section(anchor(id), `${method} ${path}`, operation)).join('\n')}
</body></html>
`
}

function section(id: string, heading: string, { summary = '', description = '', parameters = [], requestBody, responses = {} }: Operation) {
	const inputs = parameters.map(({ name, in: place, required, description: what = '', schema }) => [
		name,
		`${place}${required ? ', required' : ''}`,
		what || String(schema?.description ?? ''),
	])
	const outputs = Object.entries(responses).map(([status, { description: what = '' }]) => [status, what])
	return `<section id="${id}"><h2><code>${escaped(heading)}</code></h2>
<p>${escaped([summary, description].filter(Boolean).join(' '))}</p>
${inputs.length > 0 ? table(['Parameter', 'Where', 'Meaning'], inputs) : ''}
${schemaOf('Body', requestBody?.content)}
${table(['Status', 'Meaning'], outputs)}
${Object.entries(responses)
	.map(([status, { content }]) => schemaOf(`Response ${status}`, content))
	.join('')}</section>`
}

function schemaOf(what: string, content: Record<string, { schema?: Schema }> = {}): string {
	return Object.entries(content)
		.map(
			([type, { schema = {} }]) =>
				`<details><summary>${escaped(what)} (${escaped(type)})</summary><pre>${escaped(JSON.stringify(schema, null, 2))}</pre></details>`,
		)
		.join('')
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
	const line = (cells: readonly string[], tag: 'th' | 'td') => `<tr>${cells.map(cell => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
	return `<table>${line(columns, 'th')}${rows.map(row => line(row, 'td')).join('')}</table>`
}

function anchor(id: string): string {
	return id.replaceAll(/[^A-Za-z0-9]+/g, '-')
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
code,pre{font:13px/1.45 ui-monospace,monospace}h2{margin-top:2.5rem;border-top:1px solid #d5dbe3;padding-top:1rem}
table{border-collapse:collapse;margin:.5rem 0}th,td{text-align:left;border:1px solid #d5dbe3;padding:.25rem .6rem;vertical-align:top}
pre{background:#f5f7fa;padding:.75rem;overflow:auto}@media(prefers-color-scheme:dark){body{background:#12161c;color:#dbe2ea}
pre{background:#1b212a}th,td,h2{border-color:#333c48}a{color:#7db4ff}}`
