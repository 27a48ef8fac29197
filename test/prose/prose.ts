import { globSync, readFileSync } from 'node:fs'

/** Reads the prose of the project and counts its odd phrases. */

export type Area = 'messages' | 'docs' | 'comments' | 'test titles'
export type Hit = { path: string; found: string; plain: string }
export type Tally = { words: number; hits: Hit[] }

type OddWord = { pattern: RegExp; plain: string }

const PRODUCT = '{contract,runtime,mgmt,viola,controller,agent,cli,lab,bench}/**/*.ts'

const areas: Readonly<Record<Area, { files: string[]; textsIn: (source: string) => string[] }>> = {
	messages: { files: [PRODUCT], textsIn: messagesIn },
	docs: { files: ['*.md', 'docs/{*,agent/*}.md', 'charts/*/values.yaml', 'charts/*/rules/*.yaml'], textsIn: proseIn },
	comments: { files: [PRODUCT], textsIn: commentsIn },
	'test titles': { files: ['test/**/*.test.ts'], textsIn: titlesIn },
}

/** @returns the odd phrases in the prose of an area, and its number of words */
export function tallyOf(area: Area, oddWords: readonly OddWord[] = readOddWords()): Tally {
	const { files, textsIn } = areas[area]
	const tally: Tally = { words: 0, hits: [] }
	for (const path of files.flatMap(pattern => globSync(pattern, { exclude: ['*.ko.md'] })).toSorted()) {
		const text = textsIn(readFileSync(path, 'utf8')).join('\n')
		tally.words += text.match(/[A-Za-z][\w'-]*/g)?.length ?? 0
		tally.hits.push(...hitsIn(text, oddWords).map(hit => ({ path, ...hit })))
	}
	return tally
}

/** @returns the odd phrases in a text, in the order of the word list */
export function hitsIn(text: string, oddWords: readonly OddWord[]): Omit<Hit, 'path'>[] {
	return oddWords.flatMap(({ pattern, plain }) => [...text.matchAll(pattern)].map(([found]) => ({ found, plain })))
}

export function readOddWords(file = 'test/prose/odd-words.txt'): OddWord[] {
	const lines = readFileSync(file, 'utf8').split('\n')
	const entries = lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split(' -> '))
	return entries.map(([source = '', plain = '']) => ({ pattern: new RegExp(source, 'gi'), plain }))
}

const comment = /\/\*[\s\S]*?\*\/|(?:^|\s)\/\/[^\n]*/g

function commentsIn(source: string): string[] {
	return [...source.matchAll(comment)].map(([text]) => text.replace(/^\s*\/?\*+\/?|\/\/|@\w+/gm, ' '))
}

/** Returns the string literals of at least three words: messages, help and descriptions. */
function messagesIn(source: string): string[] {
	const literals = source.replace(comment, '').matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g)
	return [...literals].map(([text]) => text.replace(/\$\{[^}]*\}/g, ' … ')).filter(text => /[a-z]+ [a-z]+ [a-z]+/i.test(text))
}

function titlesIn(source: string): string[] {
	return [...source.matchAll(/\b(?:test|describe)(?:\.\w+)*(?:<[^(]*>)?\(\s*(?:'((?:[^'\\\n]|\\.)*)'|`([^`]*)`)/g)].map(
		([, a = '', b = '']) => a + b,
	)
}

/** Returns the text without code. */
function proseIn(text: string): string[] {
	return [text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, ' ')]
}
