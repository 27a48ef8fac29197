import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { exec } from '../../agent/host/exec.ts'
import { observe } from '../../agent/host/observe.ts'
import { formatChange } from '../../agent/ip/format-change.ts'
import type { HostState } from '../../agent/model/host-state.ts'
import { differences, touchable } from '../../agent/plan/fingerprint.ts'
import { addressAdditions, lostWhenDown } from '../../agent/plan/lost-when-down.ts'
import { isMadeByKernel } from '../../agent/model/origin.ts'
import type { Change } from '../../agent/model/change.ts'

/**
 * Runs inside a host's namespaces. For each case, it configures the link ens0 with the lines of the case, reads it, removes everything,
 * writes what was read, and reads again. `argv`: the host's root, and a file with the cases. Prints one line of JSON per case.
 */
const [root = '', file = ''] = process.argv.slice(2)
const mac = 'fa:16:3e:00:00:00'

for (const lines of JSON.parse(readFileSync(file, 'utf8')) as string[][]) {
	await bare()
	await batch(lines, ['-force'])
	const before = await observe(root, [mac])
	const raw = seen()
	await bare()
	const failed = await batch(everythingOf(before).flatMap(lineOf), [])
	const after = await observe(root, [mac])
	const touched = new Set([linkOf(before).ifindex])
	const differ = differences(touchable(before, touched), touchable(after, touched))
	process.stdout.write(`${JSON.stringify({ lines, failed, differ, raw, again: seen() })}\n`)
}

/** Deletes the link with its configuration and adds it again. It gets the same index, because what was read contains the index. */
async function bare(): Promise<void> {
	const plugged = `link add ens0 index 100000 address ${mac} type veth peer name peer0`
	await batch(['link del ens0', 'nexthop flush', plugged, 'link set peer0 up', 'link set ens0 up'], ['-force'])
}

/** Excludes link-local addresses from the kernel. The order of addresses is part of what is restored. */
function everythingOf(host: HostState): Change[] {
	const link = linkOf(host)
	const addresses = link.addresses.filter(address => address.family === 4 && !isMadeByKernel(address, link))
	return [...addressAdditions(addresses, link.ifindex, []), ...lostWhenDown(link, host)]
}

function lineOf(change: Change): string[] {
	const { family, line } = formatChange(change) ?? {}
	return line === undefined ? [] : [family === 6 ? `-6 ${line}` : line]
}

/** @returns the errors of `ip`; a line may begin with `-6` */
async function batch(lines: readonly string[], options: readonly string[]): Promise<string> {
	let said = ''
	for (const part of partsOf(lines))
		said += (await exec('ip', [...part.options, ...options, '-batch', '-'], `${part.lines.join('\n')}\n`)).stderr
	return options.includes('-force') ? '' : said
}

/** Puts each neighbour into a separate batch, because `ip` ends a batch at a neighbour that the kernel rejects. */
function partsOf(lines: readonly string[]): { options: string[]; lines: string[] }[] {
	const parts: { options: string[]; lines: string[]; alone: boolean }[] = []
	for (const line of lines) {
		const options = line.startsWith('-6 ') ? ['-6'] : []
		const words = line.replace(/^-6 /, '')
		const alone = words.startsWith('neigh')
		const last = parts.at(-1)
		if (last && last.options.length === options.length && !last.alone && !alone) last.lines.push(words)
		else parts.push({ options, lines: [words], alone })
	}
	return parts
}

function linkOf({ links }: HostState) {
	const link = links.find(one => one.mac === mac)
	if (!link) throw new Error('ens0 does not exist')
	return link
}

/**
 * Everything that `ip` shows for the link, as text and not parsed by the agent, except lifetimes and what the kernel derives from an
 * address after a delay.
 */
function seen(): string[] {
	const ip = (...args: string[]) => ask('-N', '-d', '-o', ...args).split('\n')
	const all = [
		...ip('addr', 'show', 'dev', 'ens0'),
		...ip('-4', 'route', 'show', 'table', 'all', 'dev', 'ens0'),
		...ip('-6', 'route', 'show', 'table', 'all', 'dev', 'ens0'),
		...ip('neigh', 'show', 'dev', 'ens0', 'nud', 'permanent', 'nud', 'noarp'),
		...ip('nexthop', 'show'),
	]
	const runs = / (tentative|dadfailed|secondary|deprecated)\b|(?<= (?:valid_lft|preferred_lft|expires)) \d+sec/g
	const isOfMulticast = (line: string) => / lladdr (33:33|01:00:5e|ff:ff)/.test(line)
	const isOfNetwork = (line: string) => !/^2 .* table 255 /.test(line)
	return all
		.map(line => line.replace(runs, '').trim())
		.filter(Boolean)
		.filter(isOfNetwork)
		.filter(line => !isOfMulticast(line))
		.toSorted()
}

function ask(...args: string[]): string {
	return execFileSync('ip', args, { encoding: 'utf8' })
}
