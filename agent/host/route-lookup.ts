import * as z from 'zod'
import { canonicalIp } from '../../contract/ip.ts'
import { deviceWord } from '../ip/device-word.ts'
import { hex } from '../ip/hex.ts'
import { ipJson, parsedOutput } from '../ip/read-json.ts'
import { failure } from '../model/failure.ts'
import type { Link } from '../model/host-state.ts'
import type { LookupAnswer } from '../plan/lookup-losses.ts'
import type { Lookup } from '../plan/node-packets.ts'
import { LOCAL } from '../plan/own-packets.ts'
import { exec } from './exec.ts'

const NextHop = z.object({
	dev: z.string().optional(),
	gateway: z.string().optional(),
	via: z.object({ host: z.string() }).optional(),
	weight: z.number().optional(),
})
const Shown = z.object({
	type: z.string().optional(),
	dst: z.string(),
	dev: z.string().optional(),
	gateway: NextHop.shape.gateway,
	via: NextHop.shape.via,
	prefsrc: z.string().optional(),
	nexthops: z.array(NextHop).optional(),
})
type Shown = z.infer<typeof Shown>
type Hop = z.infer<typeof NextHop>

/**
 * Looks up the kernel's routes for packets, all in one process.
 *
 * @param links current links of the host, used to resolve the names in the answers
 * @returns one answer per lookup, in order; the answer to a lookup that the kernel rejects is its message
 * @throws Failure COMMAND_FAILED when `ip` cannot run or its output cannot be parsed
 * @see ip-route(8), get
 */
export async function lookUp(lookups: readonly Lookup[], links: readonly Pick<Link, 'ifindex' | 'name'>[]): Promise<LookupAnswer[]> {
	if (lookups.length === 0) return []
	const printed = await exec('ip', ['-N', '-j', '-force', '-batch', '-'], lookups.map(one => `${lineOf(one)}\n`).join(''))
	return parseAnswers(lookups, printed, links)
}

/**
 * Parses the output of `ip -N -j -force -batch` for these lookups.
 *
 * @throws Failure COMMAND_FAILED when it cannot be parsed
 */
export function parseAnswers(
	lookups: readonly Lookup[],
	{ stdout, stderr }: { stdout: string; stderr: string },
	links: readonly Pick<Link, 'ifindex' | 'name'>[],
): LookupAnswer[] {
	const refused = refusals(stderr)
	const shown = stdout.split('\n').filter(line => line.trim())
	if (shown.length !== lookups.length - refused.size)
		throw failure('COMMAND_FAILED', `ip route get returned ${shown.length} of ${lookups.length - refused.size} results`)
	const indexes = new Map(links.map(({ ifindex, name }) => [name, ifindex]))
	let next = 0
	return lookups.map((one, at) => {
		const error = refused.get(at + 1)
		return error === undefined ? toAnswer(one, shownIn(shown[next++] ?? ''), indexes) : { error }
	})
}

/** @returns the arguments of `ip route get` for one packet */
export function lineOf({ to, from, iif, oif, mark, tos, uid, protocol, sport, dport, whole }: Lookup): string {
	const words = {
		from,
		iif: iif === undefined ? undefined : deviceWord(iif),
		oif: oif === undefined ? undefined : deviceWord(oif),
		mark,
		tos: tos === undefined ? undefined : hex(tos),
		uid,
		ipproto: protocol,
		sport,
		dport,
	}
	const more = Object.entries(words).flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]))
	return ['route get', ...(whole ? ['fibmatch'] : []), to, ...more].join(' ')
}

/** A failed lookup prints nothing on stdout; the number of its line is on stderr, after the kernel's message. */
function refusals(stderr: string): Map<number, string> {
	const found = new Map<number, string>()
	let message = ''
	for (const line of stderr.split('\n')) {
		const at = /^Command failed -:(\d+)/.exec(line)?.[1]
		if (at === undefined) message = line || message
		else found.set(Number(at), message.replace(/^(RTNETLINK answers|Error): /, ''))
	}
	return found
}

function shownIn(line: string): Shown {
	const [shown] = parsedOutput(() => z.array(Shown).parse(ipJson(line)), 'ip route get')
	if (!shown) throw failure('COMMAND_FAILED', 'no output of ip route get')
	return shown
}

function toAnswer({ from, whole }: Lookup, shown: Shown, indexes: ReadonlyMap<string, number>): LookupAnswer {
	const { type, dst, prefsrc } = shown
	const hops: readonly Hop[] = shown.nexthops ?? [shown]
	const links = [...new Set(hops.flatMap(hop => (hop.dev === undefined ? [] : (indexes.get(hop.dev) ?? []))))].toSorted((a, b) => a - b)
	const words = hops.map(hop => `${hop.dev === undefined ? '' : indexes.get(hop.dev)} ${gatewayOf(hop)} ${hop.weight ?? ''}`)
	return {
		links,
		...(type === String(LOCAL) && { local: true }),
		...(hops.some(hop => gatewayOf(hop) !== '') && { far: true }),
		...(from === undefined && prefsrc !== undefined && { source: canonicalIp(prefsrc) }),
		...(whole && { whole: `${dst} ${words.toSorted().join(', ')}` }),
	}
}

function gatewayOf(hop: Hop): string {
	return hop.gateway ?? hop.via?.host ?? ''
}
