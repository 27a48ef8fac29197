import { parseArgs } from 'node:util'
import { failure } from './model/failure.ts'
import type { LogFormat } from './report/log.ts'

/** Default path of the termination message, which the kubelet reads. */
export const TERMINATION_LOG = '/dev/termination-log'

/** Output of `--help`. */
export const help = `multinic-agent: applies a node config to the NICs of this node and exits.

  --human          human-readable log
  --json           one JSON object per line
  --help           print this help

  AGENT_CONFIG     input of the run (default /etc/multinic/config.json)
  RUN              identity of the run, as JSON; if set, it must match the input
  HOST_ROOT        mount point of the root of the host (default /host)
  REPORT_FILE      write the report here instead of into the run's ConfigMap
  TERMINATION_LOG  short form of the report (default ${TERMINATION_LOG})
  LOG_FORMAT       human (default) or json

Exit status
  0  the node matches the node config; in mode Plan: the plan can be applied
  1  not fully applied, rolled back, or the report could not be delivered; see the report
  2  invalid input, which the report names; nothing was changed
`

export type Flags = { help: boolean; logFormat: LogFormat | undefined }

const flag = { type: 'boolean' } as const
const options = { human: flag, json: flag, help: flag }

/**
 * @param args command-line arguments, without the program name
 * @throws Failure BAD_INPUT that names unknown or conflicting flags
 */
export function parseFlags(args: readonly string[]): Flags {
	const { known, unknown } = sorted(args)
	if (unknown.length > 0) throw failure('BAD_INPUT', `${unknown.join(' ')}: unknown flag; see --help`)
	if (known.has('human') && known.has('json')) throw failure('BAD_INPUT', '--human and --json exclude each other')
	return { help: known.has('help'), logFormat: formatIn(known) }
}

/** @returns the log format for reporting invalid flags or variables: the one most likely intended */
export function formatFor({ LOG_FORMAT }: Readonly<Record<string, string | undefined>>, args: readonly string[]): LogFormat {
	return formatIn(sorted(args).known) ?? (LOG_FORMAT === 'json' ? 'json' : 'human')
}

/** `parseArgs` does not reject arguments itself, because its error names only the first one and suggests a positional argument. */
function sorted(args: readonly string[]): { known: Set<string>; unknown: string[] } {
	const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
	const known = new Map(tokens.flatMap(token => (token.kind === 'option' && isKnown(token) ? [[token.index, token.name]] : [])))
	return { known: new Set(known.values()), unknown: args.filter((_, index) => !known.has(index)) }
}

/** Whether this is one of the flags, given without a value. No flag takes a value. */
function isKnown({ name, value }: { name: string; value: string | undefined }): boolean {
	return Object.hasOwn(options, name) && value === undefined
}

/** @returns the first log format among the flags */
function formatIn(known: ReadonlySet<string>): LogFormat | undefined {
	return [...known].find(name => name === 'human' || name === 'json')
}
