import { parseAllDocuments } from 'yaml'

/** Reads YAML as kubectl does. Pure. */

/** What YAML 1.1 of Go does not know: 12:30:45 and 2026-03-01 are texts there. */
const unknownToGo = /^tag:yaml\.org,2002:timestamp$/

/**
 * YAML 1.1 (`yes` is true), a key that is there twice counts with its last value, and what follows the first document is not read.
 *
 * @returns the value of the first document; undefined where the text is empty
 * @throws SyntaxError with the place alone: the parser's own words quote the text, and the text holds secrets
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
	if (fault) throw new SyntaxError(fault.linePos ? `line ${fault.linePos[0].line}, column ${fault.linePos[0].col}` : 'an unknown place')
	return first?.toJS() as unknown
}
