import { failure } from './failure.ts'

/** Where the kubelet looks for a pod's last words unless it is told otherwise. */
export const TERMINATION_LOG = '/dev/termination-log'

/** What `--help` prints. */
export const help = `multinic-agent: brings the NICs of one node to what a node config says, once.

  --human          lines for people, on a terminal or off it
  --json           one JSON object a line
  --help           this

  AGENT_CONFIG     what to do (default /etc/multinic/config.json)
  RUN              whose run this is, as JSON; where set, the config must say the same
  HOST_ROOT        where the host's / is mounted (default /host)
  REPORT_FILE      write the report here instead of into the run's ConfigMap
  TERMINATION_LOG  short form of the report (default ${TERMINATION_LOG})
  LOG_FORMAT       human (default) or json

Exit status
  0  all is as the node config says; in mode Plan: all of it could be done
  1  some or all is not, or it was undone, or nobody could be told; the report says which
  2  the input is wrong: nothing was touched, and the report names the wrong field
`

export type LogFormat = 'human' | 'json'
export type Flags = { help: boolean; logFormat: LogFormat | undefined }

const formats: Readonly<Record<string, LogFormat>> = { '--human': 'human', '--json': 'json' }

/**
 * @param args of the command line, without the program
 * @throws Failure BAD_INPUT that names what is not known
 */
export function parseFlags(args: readonly string[]): Flags {
	const unknown = args.filter(arg => arg !== '--help' && !(arg in formats))
	if (unknown.length > 0) throw failure('BAD_INPUT', `${unknown.join(' ')}: there is no such flag; --help tells which there are`)
	const wanted = new Set(args.flatMap(arg => formats[arg] ?? []))
	if (wanted.size > 1) throw failure('BAD_INPUT', 'the log is either --human or --json')
	const [logFormat] = wanted
	return { help: args.includes('--help'), logFormat }
}

/** @returns the format for telling that flags or variables are wrong: what seems to be meant */
export function formatFor({ LOG_FORMAT }: Readonly<Record<string, string | undefined>>, args: readonly string[]): LogFormat {
	return formats[args.find(arg => arg in formats) ?? `--${LOG_FORMAT}`] ?? 'human'
}
