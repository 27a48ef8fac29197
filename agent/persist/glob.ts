/**
 * Whether a name matches a shell pattern: `*`, `?`, `[a-z]`, `[!a]`, `\*`. Takes time proportional at most to the product of both lengths,
 * because patterns come from files that are not managed by MultiNIC.
 *
 * @see fnmatch(3)
 */
export function isGlobOf(pattern: string, name: string): boolean {
	if (pattern.length > LONGEST) return false
	const tokens = tokensOf(pattern)
	let [at, token] = [0, 0]
	let star: { token: number; at: number } | undefined
	while (at < name.length) {
		const now = tokens[token]
		if (now === '*') star = { token: ++token, at }
		else if (now?.(name.charAt(at))) [at, token] = [at + 1, token + 1]
		else if (star) {
			star.at++
			;[at, token] = [star.at, star.token]
		} else return false
	}
	return tokens.slice(token).every(left => left === '*')
}

/** Maximum characters of a pattern; a longer one matches no link. */
const LONGEST = 4096

/** `*`, or a function that returns whether one character matches. */
type Token = '*' | ((letter: string) => boolean)

function tokensOf(pattern: string): Token[] {
	const words = [...pattern.matchAll(WORDS)].map(([word]) => word)
	return words.flatMap((word, at) => (word === '*' && words[at - 1] === '*' ? [] : [tokenOf(word)]))
}

function tokenOf(word: string): Token {
	if (word === '*') return '*'
	if (word === '?') return () => true
	const set = SET.exec(word)
	return set ? inSet(set[2] ?? '', set[1] !== '') : other => other === word.at(-1)
}

const SET = /^\[([!^]?)(\]?[^\]]+)\]$/
/** An unclosed bracket is literal; sets of more than 300 characters are not expected to occur. */
const WORDS = /\[[!^]?\]?[^\]]{1,300}\]|\\?[\s\S]/g

function inSet(letters: string, isInverted: boolean): Token {
	const ranges = [...letters.matchAll(/([\s\S])-([\s\S])|([\s\S])/g)].map(
		([, from, to, one]) => [from ?? one ?? '', to ?? one ?? ''] as const,
	)
	return letter => ranges.some(([from, to]) => from <= letter && letter <= to) !== isInverted
}
