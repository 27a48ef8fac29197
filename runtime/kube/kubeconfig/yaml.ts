import { parseAllDocuments } from 'yaml'

/** Reads YAML as kubectl does. Pure. */

/** Types that Go's YAML 1.1 parser does not support: it reads 12:30:45 and 2026-03-01 as strings. */
const unknownToGo = /^tag:yaml\.org,2002:timestamp$/

/**
 * Parses YAML 1.1 (`yes` is true). The last value of a duplicate key is used, and only the first document is read.
 *
 * @returns the value of the first document; undefined if the string is empty
 * @throws SyntaxError with the position only, because the parser's own message quotes the input, which contains secrets
 */
export function parseYaml(text: string): unknown {
	const documents = parseAllDocuments(text, {
		version: '1.1',
		uniqueKeys: false,
		logLevel: 'silent',
		customTags: tags => tags.filter(tag => typeof tag === 'string' || !(unknownToGo.test(tag.tag) || tag.format === 'TIME')),
	})
	const [first] = Array.isArray(documents) ? documents : []
	const [fault] = first?.errors ?? []
	if (fault) throw new SyntaxError(fault.linePos ? `line ${fault.linePos[0].line}, column ${fault.linePos[0].col}` : 'unknown position')
	return first?.toJS() as unknown
}
