import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { anchorsOf, linksOf } from './links.ts'

/** Checks the links of the documentation, and the references from source files to its pages. */

const pages = globSync(['*.md', 'docs/**/*.md'])
const sources = globSync(['{agent,bench,charts,cli,contract,controller,crds,lab,mgmt,runtime,test,viola}/**/*.{ts,yaml,tpl,txt,json}'])

test.each(pages)('every relative link of %s has a target', page => {
	const dead = linksOf(readFileSync(page, 'utf8')).filter(link => !leads(page, link))
	expect(dead).toEqual([])
})

test('every page that a source file refers to exists and has the heading that it refers to', () => {
	const named = sources.flatMap(source =>
		[...readFileSync(source, 'utf8').matchAll(/\bdocs\/[\w/-]+\.md(?:#[\w-]+)?/g)].map(([link]) => ({ source, link })),
	)
	expect(named.length).toBeGreaterThan(20)
	expect(named.filter(({ link }) => !leads('README.md', link))).toEqual([])
})

test.each<[text: string, links: string[], anchors: string[]]>([
	['# A `b` (c): d\n[x](#y) and [z\nz](w.md)', ['#y', 'w.md'], ['a-b-c-d']],
	['```\n# no [x](y)\n```\n## Twice\n## Twice', [], ['twice', 'twice-1']],
	['# 드리프트와 재부팅\n[설정](#설정)', ['#설정'], ['드리프트와-재부팅']],
	['`[x](y)` [web](https://example.com)', [], []],
])('finds the links and the anchors in %s', (text, links, anchors) => {
	expect([linksOf(text), anchorsOf(text)]).toEqual([links, anchors])
})

function leads(page: string, link: string): boolean {
	const [path = '', anchor] = link.split('#')
	const target = path === '' ? page : normalize(join(dirname(page), path))
	if (!existsSync(target)) return false
	return anchor === undefined || (!statSync(target).isDirectory() && anchorsOf(readFileSync(target, 'utf8')).includes(anchor))
}
