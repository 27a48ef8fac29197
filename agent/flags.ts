import { failure } from './model/failure.ts'
import type { LogFormat } from './report/log.ts'

/** Default path of the termination message, which the kubelet reads. */
export const TERMINATION_LOG = '/dev/termination-log'

/** Output of `--help`. */
export const help = `multinic-agent: applies a node config to the NICs of this node and exits.

  --human          human-readable log
  --json           one JSON object per line
  --help           this

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

const formats: Readonly<Record<string, LogFormat>> = { '--human': 'human', '--json': 'json' }

/**
 * @param args of the command line, without the program
 * @throws Failure BAD_INPUT that names unknown or conflicting flags
 */
export function parseFlags(args: readonly string[]): Flags {
	const unknown = args.filter(arg => arg !== '--help' && !(arg in formats))
	if (unknown.length > 0) throw failure('BAD_INPUT', `${unknown.join(' ')}: unknown flag; see --help`)
	const wanted = new Set(args.flatMap(arg => formats[arg] ?? []))
	if (wanted.size > 1) throw failure('BAD_INPUT', 'the log is either --human or --json')
	const [logFormat] = wanted
	return { help: args.includes('--help'), logFormat }
}

/** @returns the log format for reporting invalid flags or variables: the one that appears to be meant */
export function formatFor({ LOG_FORMAT }: Readonly<Record<string, string | undefined>>, args: readonly string[]): LogFormat {
	return formats[args.find(arg => arg in formats) ?? `--${LOG_FORMAT}`] ?? 'human'
}
