import { hex } from './hex.ts'

/**
 * Parses the encapsulations in the output of `ip -j route` and `ip -j nexthop`. `ip` prints the keys of an encapsulation among those of its
 * route, so `dst` may occur twice: pass the text through `distinctEncap` first.
 */

type RawEncap = Readonly<Record<string, unknown>>
export type Encap = { encap?: string; unknown: readonly string[] }

const NUMBERED = ['id', 'ttl', 'tos', 'hoplimit', 'tc']

/** @returns the output of `ip -j`, with those keys of encapsulations that a route also has renamed to `encap_…` */
export function distinctEncap(json: string): string {
	if (!json.includes('"encap":')) return json
	return json.replace(/"encap":"[^"]*",(?:"(?:src|dst)":"[^"]*",|"(?:id|ttl|tos|hoplimit|tc)":\d+,)*/g, found =>
		found.replace(/,"(src|dst|id|ttl|tos|hoplimit|tc)":/g, ',"encap_$1":'),
	)
}

const KINDS: Readonly<Record<string, { keys: readonly string[]; words(raw: RawEncap): string[] }>> = {
	ip: { keys: [...encapKeys(['id', 'src', 'dst', 'ttl', 'tos']), 'key', 'csum', 'seq'], words: tunnelWords },
	ip6: { keys: [...encapKeys(['id', 'src', 'dst', 'hoplimit', 'tc']), 'key', 'csum', 'seq'], words: tunnelWords },
	mpls: { keys: encapKeys(['dst', 'ttl']), words: mplsWords },
	seg6: { keys: ['mode', 'segs'], words: segmentWords },
}

/** All keys of encapsulations that can be restored. */
export const ENCAP_KEYS: ReadonlySet<string> = new Set(['encap', ...Object.values(KINDS).flatMap(({ keys }) => keys)])

/** @returns the arguments after `encap` in `ip route add`; an encapsulation that cannot be restored is returned as unknown */
export function encapOf(raw: RawEncap): Encap {
	if (typeof raw.encap !== 'string') return { unknown: [] }
	const kind = KINDS[raw.encap]
	return kind ? { encap: [raw.encap, ...kind.words(raw)].join(' '), unknown: [] } : { unknown: [`encap ${raw.encap}`] }
}

function encapKeys(keys: readonly string[]): string[] {
	return keys.map(key => `encap_${key}`)
}

function tunnelWords(raw: RawEncap): string[] {
	const valued = [...NUMBERED, 'src', 'dst'].filter(key => raw[`encap_${key}`] !== undefined)
	const flags = ['key', 'csum', 'seq'].filter(key => raw[key] === true)
	return [...valued.map(key => `${key} ${numberWord(key, raw[`encap_${key}`])}`), ...flags]
}

/** In encapsulations, `ip` prints a DS field as a decimal number. */
function numberWord(key: string, value: unknown): string {
	return typeof value === 'number' && (key === 'tos' || key === 'tc') ? hex(value) : String(value)
}

function mplsWords(raw: RawEncap): string[] {
	const ttl = raw.encap_ttl === undefined ? [] : [`ttl ${raw.encap_ttl}`]
	return [String(raw.encap_dst).trim(), ...ttl]
}

/** In inline mode, the kernel adds an entry for the packet's own destination. */
function segmentWords({ mode, segs }: RawEncap): string[] {
	const all = Array.isArray(segs) ? segs.map(String) : []
	return [`mode ${mode}`, `segs ${(mode === 'inline' && all.at(-1) === '::' ? all.slice(0, -1) : all).join(',')}`]
}
