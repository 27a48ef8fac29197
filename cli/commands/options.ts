import { Argument, InvalidArgumentError, Option } from 'commander'
import { NodeName } from '../../contract/primitives.ts'
import { parseDuration } from '../../runtime/env.ts'

export type GetFlags = { output?: 'json' | 'yaml' | 'wide'; watch?: boolean }

/** Options and arguments that several commands share, validated when they are parsed. */

/** Creates `-o`, with the formats that a command supports. */
export function outputOption(...choices: ('json' | 'yaml' | 'wide')[]): Option {
	return new Option('-o, --output <format>', 'output format').choices(choices)
}

/** Creates `--timeout 120s`; a number without a unit is in seconds. The parsed value is in milliseconds. */
export function timeoutOption(text: string): Option {
	return new Option('--timeout <time>', 'how long to wait, such as 120s or 5m').default(parseTimeout(text), text).argParser(parseTimeout)
}

function parseTimeout(text: string): number {
	const ms = parseDuration(/^\d+$/.test(text) ? `${text}s` : text)
	if (ms === undefined || ms < 1_000 || ms > 86_400_000)
		throw new InvalidArgumentError('It must be a time from 1s to 24h, such as 120s or 5m.')
	return ms
}

/** Creates the argument of a command for one node. */
export function nodeArgument(): Argument {
	return new Argument('<node>', 'name of a node').argParser(parseNode)
}

/** Creates the argument of a command for several nodes; commander passes them one by one. */
export function nodesArgument(): Argument {
	return new Argument('[nodes...]', 'names of nodes').argParser((text, before: string[] | undefined) => [
		...(before ?? []),
		parseNode(text),
	])
}

function parseNode(text: string): string {
	const parsed = NodeName.safeParse(text)
	if (!parsed.success) throw new InvalidArgumentError(`It ${parsed.error.issues[0]?.message ?? 'is not a name'}.`)
	return text
}

/** Parses the name of a Kubernetes object, for `-n` and `--run`. */
export function parseName(text: string): string {
	if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)) return text
	throw new InvalidArgumentError('It must be the name of a Kubernetes object: lower-case letters, digits, "-" and ".".')
}
