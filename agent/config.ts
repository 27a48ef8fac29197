import { readFileSync, statSync } from 'node:fs'
import * as z from 'zod'
import { RunConfig, RunMark } from '../contract/run-config.ts'
import { countsIn } from '../contract/run-name.ts'
import { faultsIn } from '../runtime/faults.ts'
import { type Flags, parseFlags, TERMINATION_LOG } from './flags.ts'
import { failure, isFailure, wordsOf } from './model/failure.ts'

/** Where a run reads its input and writes its output. Each default is correct in the agent's pod. */
export const Settings = z
	.object({
		AGENT_CONFIG: z.string().default('/etc/multinic/config.json'),
		HOST_ROOT: z.string().startsWith('/').default('/host'),
		REPORT_FILE: z.string().optional(),
		TERMINATION_LOG: z.string().default(TERMINATION_LOG),
		LOG_FORMAT: z.enum(['human', 'json']).default('human'),
		RUN: z.string().superRefine(checkMark).optional(),
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
		/** Identity of the run, as set by the Job. */
		startedFor: env.RUN,
		serviceAccount: env.SERVICE_ACCOUNT,
		...(env.KUBERNETES_SERVICE_HOST !== undefined && {
			apiServer: { host: env.KUBERNETES_SERVICE_HOST, port: env.KUBERNETES_SERVICE_PORT },
		}),
	}))
export type Settings = z.infer<typeof Settings>

type Env = Readonly<Record<string, string | undefined>>

/** @throws Failure BAD_INPUT that names every invalid variable */
export function parseSettings(env: Env, { logFormat }: Flags = parseFlags([])): Settings {
	const parsed = Settings.safeParse(env)
	if (!parsed.success) throw failure('BAD_INPUT', faultsIn(parsed.error, { whole: 'it' }))
	return { ...parsed.data, logFormat: logFormat ?? parsed.data.logFormat }
}

/** The part of a config that identifies the run and, if the rest is invalid, the destination of the report. */
const Addressee = RunMark.extend({ mode: RunMark.shape.mode.catch('Apply') }).strip()

/**
 * @returns the identity and report target of a run that cannot be carried out: from RUN, which the Job sets, or without RUN from the
 *   config, if that part of it is valid
 */
export function addresseeOf({ startedFor, configPath }: Pick<Settings, 'startedFor' | 'configPath'>): RunMark | undefined {
	try {
		return startedFor !== undefined ? parseMark(startedFor) : Addressee.parse(parseJson(readConfigFile(configPath), configPath))
	} catch (error) {
		if (isFailure(error) || error instanceof z.ZodError) return undefined
		throw error
	}
}

/** @throws Failure BAD_INPUT that names every invalid path of config.json, or every path that does not match this run */
export function readConfig({ startedFor, configPath }: Pick<Settings, 'startedFor' | 'configPath'>): RunConfig {
	const mark = startedFor === undefined ? undefined : parseMark(startedFor)
	const config = parseConfig(readConfigFile(configPath), configPath)
	const faults = [...(mark ? markMismatches(config, mark) : []), ...misnamed(config)]
	if (faults.length > 0) throw failure('BAD_INPUT', `${configPath}: ${faults.join('; ')}`)
	return config
}

/** @throws Failure BAD_INPUT that names every invalid path of the text */
export function parseConfig(text: string, path: string): RunConfig {
	const parsed = RunConfig.safeParse(parseJson(text, path))
	if (!parsed.success) throw failure('BAD_INPUT', `${path}: ${faultsIn(parsed.error, { whole: 'it' })}`)
	return parsed.data
}

/** Reports an invalid RUN together with the other variables, so that one pod log shows them all. */
function checkMark(text: string, context: z.RefinementCtx): void {
	try {
		parseMark(text)
	} catch (error) {
		if (!isFailure(error)) throw error
		context.addIssue({ code: 'custom', message: wordsOf(error).replace(/^RUN:? /, '') })
	}
}

function parseMark(text: string): RunMark {
	const parsed = RunMark.safeParse(parseJson(text, 'RUN'))
	if (!parsed.success) throw failure('BAD_INPUT', `RUN: ${faultsIn(parsed.error, { whole: 'it' })}`)
	return parsed.data
}

/**
 * A ConfigMap can be replaced after its Job is created and before the pod starts. The pod must not apply content that it was not started
 * for.
 */
function markMismatches({ report, ...config }: RunConfig, { report: to, ...mark }: RunMark): string[] {
	const pairs = [
		...(['nodeName', 'uid', 'generation', 'attempt', 'mode'] as const).map(key => [key, config[key], mark[key]] as const),
		...(['namespace', 'configMap'] as const).map(key => [`report.${key}`, report[key], to[key]] as const),
	]
	return pairs
		.filter(([, said, meant]) => said !== meant)
		.map(([path, said, meant]) => `${path}: ${said}, but this pod was started for ${meant}`)
}

/** The name of a run's ConfigMap ends with the generation and, from the second attempt on, with the attempt. */
function misnamed({ generation, attempt, report: { configMap } }: RunConfig): string[] {
	const named = countsIn(configMap)
	if (named === undefined) return []
	return [
		...(named.generation === generation ? [] : [`generation: ${generation}, but report.configMap is ${configMap}`]),
		...(named.attempt === attempt ? [] : [`attempt: ${attempt}, but report.configMap is ${configMap}`]),
	]
}

/** Maximum size of a ConfigMap (bytes). */
const CONFIG_MAX_BYTES = 1_048_576

function readConfigFile(path: string): string {
	try {
		const { size } = statSync(path)
		if (size > CONFIG_MAX_BYTES) throw failure('BAD_INPUT', `it has ${size} bytes, but a ConfigMap has at most ${CONFIG_MAX_BYTES}`)
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
