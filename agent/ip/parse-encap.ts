import { hex } from './hex.ts'

/**
 * Parses the encapsulations of `ip -j route` and `ip -j nexthop`. `ip` prints their keys among those of the route, so `dst` may occur
 * twice: the text must have passed through `distinctEncap` first.
 */

type Raw = Readonly<Record<string, unknown>>
export type Encap = { encap?: string; unknown: readonly string[] }

const NUMBERED = ['id', 'ttl', 'tos', 'hoplimit', 'tc']

/** @returns the text of `ip -j` with keys of encapsulations renamed to `encap_…` where a route has a key with the same name */
export function distinctEncap(json: string): string {
	if (!json.includes('"encap":')) return json
	return json.replace(/"encap":"[^"]*",(?:"(?:src|dst)":"[^"]*",|"(?:id|ttl|tos|hoplimit|tc)":\d+,)*/g, found =>
		found.replace(/,"(src|dst|id|ttl|tos|hoplimit|tc)":/g, ',"encap_$1":'),
	)
}

const KINDS: Readonly<Record<string, { keys: readonly string[]; words(raw: Raw): string[] }>> = {
	ip: { keys: [...encapKeys(['id', 'src', 'dst', 'ttl', 'tos']), 'key', 'csum', 'seq'], words: tunnelWords },
	ip6: { keys: [...encapKeys(['id', 'src', 'dst', 'hoplimit', 'tc']), 'key', 'csum', 'seq'], words: tunnelWords },
	mpls: { keys: encapKeys(['dst', 'ttl']), words: mplsWords },
	seg6: { keys: ['mode', 'segs'], words: segmentWords },
}

/** Keys of every encapsulation that can be restored. */
export const ENCAP_KEYS: ReadonlySet<string> = new Set(['encap', ...Object.values(KINDS).flatMap(({ keys }) => keys)])

/** @returns the arguments after `encap` in `ip route add`; a kind that cannot be restored is returned as unknown */
export function encapOf(raw: Raw): Encap {
	if (typeof raw.encap !== 'string') return { unknown: [] }
	const kind = KINDS[raw.encap]
	return kind ? { encap: [raw.encap, ...kind.words(raw)].join(' '), unknown: [] } : { unknown: [`encap ${raw.encap}`] }
}

function encapKeys(keys: readonly string[]): string[] {
	return keys.map(key => `encap_${key}`)
}

function tunnelWords(raw: Raw): string[] {
	const valued = [...NUMBERED, 'src', 'dst'].filter(key => raw[`encap_${key}`] !== undefined)
	const flags = ['key', 'csum', 'seq'].filter(key => raw[key] === true)
	return [...valued.map(key => `${key} ${numberWord(key, raw[`encap_${key}`])}`), ...flags]
}

/** `ip` prints a DS field as a decimal number here. */
function numberWord(key: string, value: unknown): string {
	return typeof value === 'number' && (key === 'tos' || key === 'tc') ? hex(value) : String(value)
}

function mplsWords(raw: Raw): string[] {
	const ttl = raw.encap_ttl === undefined ? [] : [`ttl ${raw.encap_ttl}`]
	return [String(raw.encap_dst).trim(), ...ttl]
}

/** In mode inline the kernel adds an entry for the packet's own destination. */
function segmentWords({ mode, segs }: Raw): string[] {
	const all = Array.isArray(segs) ? segs.map(String) : []
	return [`mode ${mode}`, `segs ${(mode === 'inline' && all.at(-1) === '::' ? all.slice(0, -1) : all).join(',')}`]
}
