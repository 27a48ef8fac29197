import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { differences } from './compare.ts'
import { anchorsOf, linksOf } from './links.ts'
import { type Section, sectionsOf } from './page.ts'

/** Checks that the Korean pages have the same structure as the English pages: a change in one language must be made in both. */

const korean: Readonly<Record<string, string>> = {
	'README.md': 'README.ko.md',
	'docs/install.md': 'docs/ko/install.md',
	'docs/operations.md': 'docs/ko/operations.md',
	'docs/cli.md': 'docs/ko/cli.md',
}

describe.each(Object.entries(korean))('%s and %s', (english, translated) => {
	test('have the same headings, paragraphs, rows, code, names and numbers', () => {
		expect(existsSync(translated), `${translated} does not exist`).toBe(true)
		expect(differences(pageAt(english), pageAt(translated))).toEqual([])
	})

	test('link to each other below the title', () => {
		expect(lineBelowTitle(english)).toBe(`[한국어](${relative(dirname(english), translated)})`)
		expect(lineBelowTitle(translated)).toBe(`[English](${relative(dirname(translated), english)})`)
	})

	test('have the same links, to Korean pages where these exist', () => {
		const wanted = linksAt(english).map(link => inKorean(english, translated, link))
		expect(linksAt(translated).toSorted()).toEqual(wanted.toSorted())
	})
})

const original = '# Title\n\nText.\n\n## One\n\nSet `a` to 5.\n\n## Two\n\n```\nrun x # now\n```\n\n### `Three`\n\n| a |\n|---|\n| b |\n'
const faithful = original.replace('Title', '제목').replace('One', '하나').replace('Two', '둘').replace('# now', '# 지금')

describe('the differences between two pages', () => {
	test.each<[title: string, from: string, to: string, words: string[]]>([
		['none', '', '', []],
		['a heading is missing', '## 하나\n\nSet `a` to 5.\n\n', '', ["ko.md lacks a heading for '## One'"]],
		['the last heading is missing', '### `Three`\n\n| a |\n|---|\n| b |\n', '', ["ko.md lacks a heading for '### `Three`'"]],
		['a heading is not in the English page', '## 둘', '## 셋\n\n`c`\n\n## 둘', ["en.md lacks a heading for '## 셋'"]],
		[
			'a heading that is a name differs',
			'`Three`',
			'`Four`',
			["ko.md lacks a heading for '### `Three`'", "en.md lacks a heading for '### `Four`'"],
		],
		['a heading has another level', '## 하나', '### 하나', ["ko.md lacks a heading for '## One'", "en.md lacks a heading for '### 하나'"]],
		[
			'a name differs',
			'`a`',
			'`b`',
			["ko.md, '## 하나' lacks `a` in paragraph 1", "ko.md, '## 하나' has `b`, which is not in English in paragraph 1"],
		],
		['a number differs', '5', '6', ["ko.md, '## 하나' lacks the number 5 in paragraph 1"]],
		['code differs', 'run x', 'run y', ["ko.md, '## 둘' lacks this, apart from comments: ```\nrun x #\n```"]],
		['a table row is missing', '| b |\n', '', ["ko.md, '### `Three`' has 2 rows; in English it has 3 rows"]],
		['a paragraph is added', 'Text.', 'Text.\n\nMore.', ["ko.md, '# 제목' has 2 paragraphs; in English it has 1 paragraph"]],
	])('%s', (_, from, to, words) => {
		const other = faithful.replace(from, to)
		expect(differences({ path: 'en.md', sections: sectionsOf(original) }, { path: 'ko.md', sections: sectionsOf(other) })).toEqual(words)
	})
})

function pageAt(path: string): { path: string; sections: Section[] } {
	return { path, sections: sectionsOf(readFileSync(path, 'utf8')) }
}

function lineBelowTitle(path: string): string | undefined {
	return readFileSync(path, 'utf8').split('\n')[2]
}

/** Returns all links except the first, which leads to the other language. */
function linksAt(path: string): string[] {
	return linksOf(readFileSync(path, 'utf8')).slice(1)
}

/** @returns the link of an English page as its Korean page has it */
function inKorean(english: string, translated: string, link: string): string {
	const [file = '', anchor] = link.split('#')
	const path = file === '' ? english : join(dirname(english), file)
	const target = korean[path] ?? path
	const page = target === translated ? '' : relative(dirname(translated), target)
	if (anchor === undefined) return page
	return `${page}#${path === target ? anchor : anchorsAt(target)[anchorsAt(path).indexOf(anchor)]}`
}

function anchorsAt(path: string): string[] {
	return anchorsOf(readFileSync(path, 'utf8'))
}
