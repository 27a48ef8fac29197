import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { RunConfig } from '../contract/agent-run.ts'
import { failure, isFailure } from './failure.ts'

/** Where the kubelet looks for a pod's last words unless it is told otherwise. */
export const TERMINATION_LOG = '/dev/termination-log'

/** Where a run finds its input and leaves its output. Each has a default that is right in the agent's pod. */
export const Settings = z
	.object({
		AGENT_CONFIG: z.string().default('/etc/multinic/config.json'),
		HOST_ROOT: z.string().startsWith('/').default('/host'),
		REPORT_FILE: z.string().optional(),
		TERMINATION_LOG: z.string().default(TERMINATION_LOG),
		LOG_FORMAT: z.enum(['human', 'json']).default('human'),
		KUBERNETES_SERVICE_HOST: z.string().optional(),
		KUBERNETES_SERVICE_PORT: z.coerce.number().int().min(1).max(65_535).default(443),
		SERVICE_ACCOUNT: z.string().default('/var/run/secrets/kubernetes.io/serviceaccount'),
	})
	.transform(env => ({
		configPath: env.AGENT_CONFIG,
		hostRoot: env.HOST_ROOT === '/' ? '' : env.HOST_ROOT.replace(/\/+$/, ''),
		reportFile: env.REPORT_FILE,
		terminationLog: env.TERMINATION_LOG,
		logFormat: env.LOG_FORMAT,
		serviceAccount: env.SERVICE_ACCOUNT,
		...(env.KUBERNETES_SERVICE_HOST !== undefined && {
			apiServer: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
		}),
	}))
export type Settings = z.infer<typeof Settings>

/** What `--help` prints. */
export const help = `multinic-agent: brings the NICs of one node to what a node config says, once.

  AGENT_CONFIG     what to do (default /etc/multinic/config.json)
  HOST_ROOT        where the host's / is mounted (default /host)
  REPORT_FILE      write the report here instead of into the run's ConfigMap
  TERMINATION_LOG  short form of the report (default ${TERMINATION_LOG})
  LOG_FORMAT       human (default) or json

Exit status: 0 all configured · 1 some or all are not, or nobody could be told · 2 the input is wrong, nothing was touched
`

/** @throws Failure BAD_INPUT that names every wrong variable */
export function parseSettings(env: Readonly<Record<string, string | undefined>>): Settings {
	const parsed = Settings.safeParse(env)
	if (!parsed.success) throw failure('BAD_INPUT', faultsOf(parsed.error))
	return parsed.data
}

/** Enough of a config to say to whom a run belongs, and who is to hear that the rest is wrong. */
const Addressee = RunConfig.pick({ nodeName: true, uid: true, generation: true, attempt: true, report: true })
	.extend({ mode: RunConfig.shape.mode.catch('Apply') })
	.strip()
export type Addressee = z.infer<typeof Addressee>

/** @returns whom a config that cannot be carried out is from, if it says so much */
export function addresseeOf(path: string): Addressee | undefined {
	try {
		return Addressee.parse(parseJson(readText(path), path))
	} catch (error) {
		if (isFailure(error) || error instanceof z.ZodError) return undefined
		throw error
	}
}

/** @throws Failure BAD_INPUT that names every wrong path of config.json */
export function readConfig(path: string): RunConfig {
	return parseConfig(readText(path), path)
}

/** @throws Failure BAD_INPUT that names every wrong path of the text */
export function parseConfig(text: string, path: string): RunConfig {
	const parsed = RunConfig.safeParse(parseJson(text, path))
	if (!parsed.success) throw failure('BAD_INPUT', `${path}: ${faultsOf(parsed.error)}`)
	return parsed.data
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		throw failure('BAD_INPUT', `${path} cannot be read`, { cause: error })
	}
}

function parseJson(text: string, path: string): unknown {
	try {
		return JSON.parse(text)
	} catch (error) {
		throw failure('BAD_INPUT', `${path} is not JSON`, { cause: error })
	}
}

function faultsOf({ issues }: z.ZodError): string {
	return issues.map(({ path, message }) => `${fieldOf(path) || 'it'}: ${message}`).join('; ')
}

/** @returns `interfaces[0].mtu` */
function fieldOf(path: readonly PropertyKey[]): string {
	const parts = path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
	return parts.join('').replace(/^\./, '')
}
