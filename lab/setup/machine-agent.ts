import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AgentReport, type RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import type { LabNode } from '../namespace/lab-node.ts'
import type { CommandResult } from '../nodes/shell.ts'

/** The output of an agent run, and its report if it left one. */
export interface AgentRun {
	/** Exit code; 255 if the connection to the machine was lost. */
	code: number
	stdout: string
	stderr: string
	report: AgentReport | undefined
}

/** A run in progress. */
export interface StartedAgent {
	/** Local directory, mounted at `runFolder` for the run, so that both sides can exchange files. */
	readonly folder: string
	readonly ended: Promise<AgentRun>
}

/** How a run differs from one in a pod. */
export interface AgentOptions {
	/** Source of a module that Node loads before the agent. */
	preload?: string
	env?: Readonly<Record<string, string>>
	/** In milliseconds; default: 120 000. */
	timeoutMs?: number
}

/** The input of a run. */
export interface RunInput {
	interfaces: readonly Partial<Interface>[]
	more?: Partial<RunConfig> | undefined
	options?: AgentOptions | undefined
}

/** The path at which a run sees its `folder`. */
export const runFolder = '/mnt/run'

/** Runs the agent on machines. */
export interface Agents {
	/**
	 * Starts a run. Node, the bundle and the run's directory are on the local machine and visible through hostfs in the run's own mount
	 * namespace: the only trace on the disk of the target machine is the empty directory /host.
	 */
	start(machine: LabNode, input: RunInput): Promise<StartedAgent>
}

/**
 * Prepares runs of the agent.
 *
 * @param folder created for the bundle, which the first run builds, and for one directory per run
 * @param programs directory with the programs of the agent's image
 */
export async function prepareAgents(folder: string, programs: string): Promise<Agents> {
	await mkdir(folder)
	let bundled: Promise<unknown> | undefined
	let runs = 0
	return {
		async start(machine, input) {
			bundled ??= bundleAgent(folder)
			await bundled
			runs++
			return start(machine, { run: join(folder, String(runs)), programs }, input)
		},
	}
}

async function bundleAgent(folder: string): Promise<void> {
	const [{ build }, { agentFormat }] = await Promise.all([import('esbuild'), import('../../bundle.ts')])
	await build({ ...agentFormat, entryPoints: [join(import.meta.dirname, '../../agent/main.ts')], outfile: join(folder, 'agent.cjs') })
}

interface Folders {
	run: string
	programs: string
}

async function start(machine: LabNode, folders: Folders, { interfaces, more, options = {} }: RunInput): Promise<StartedAgent> {
	const { run } = folders
	await mkdir(run)
	await writeFile(join(run, 'config.json'), JSON.stringify(runConfig(interfaces, more)))
	if (options.preload !== undefined) await writeFile(join(run, 'preload.mjs'), options.preload)
	await writeFile(join(run, 'start'), script(folders, options))
	const finished = machine.run('sh', { inputFile: join(run, 'start'), timeoutMs: options.timeoutMs ?? 120_000 })
	return { folder: run, ended: finished.then(result => agentRun(result, run)) }
}

async function agentRun({ exitCode, stdout, stderr }: CommandResult, run: string): Promise<AgentRun> {
	const text = await readFile(join(run, 'report.json'), 'utf8').catch(() => undefined)
	return { code: exitCode, stdout, stderr, report: text === undefined ? undefined : AgentReport.parse(JSON.parse(text)) }
}

/** Limits of a chart that allows nearly every route. It cannot allow a whole address family with one prefix, so these are /2 prefixes. */
const UNRESTRICTED = {
	allowDefaultRoute: true,
	allowMainTableRoutes: ['0.0.0.0/2', '64.0.0.0/2', '128.0.0.0/2', '192.0.0.0/2', '::/2', '4000::/2', 'c000::/2'],
}

/**
 * Returns the config of a run on a node without known addresses, as the controller would write it with the most permissive chart values.
 *
 * @param interfaces may include interfaces that the agent must reject
 */
export function runConfig(interfaces: readonly Partial<Interface>[], more: Partial<RunConfig> = {}): RunConfig {
	return {
		version: 1,
		nodeName: 'worker-1',
		uid: 'a-uid',
		generation: 1,
		attempt: 1,
		mode: 'Apply',
		interfaces: interfaces as Interface[],
		nodeAddresses: [],
		...UNRESTRICTED,
		report: { namespace: 'multinic-system', configMap: 'a-run' },
		waitForDeviceSeconds: 0,
		commitTimeoutSeconds: 60,
		...more,
	}
}

/** Returns a script that starts the agent as containerd does for its pod. The machine's own `/proc` is at /host/proc. */
function script({ run, programs }: Folders, { preload, env = {} }: AgentOptions): string {
	const settings = {
		AGENT_CONFIG: `${runFolder}/config.json`,
		REPORT_FILE: `${runFolder}/report.json`,
		TERMINATION_LOG: `${runFolder}/termination-log`,
		...(preload !== undefined && { NODE_OPTIONS: `--import=${runFolder}/preload.mjs` }),
		...env,
	}
	const words = Object.entries(settings).map(([name, value]) => `'${name}=${value}'`)
	const node = join(import.meta.dirname, `../../node_modules/node-linux-${process.arch}/bin`)
	return `exec unshare --mount --propagation private sh -ec '
mkdir -p /host
mount --rbind / /host
mount -t tmpfs tmpfs /mnt
mkdir /mnt/node /mnt/agent ${runFolder}
mount -t hostfs -o ${node} none /mnt/node
mount -t hostfs -o ${dirname(run)} none /mnt/agent
mount -t hostfs -o ${run} none ${runFolder}
mount -t hostfs -o ${programs} none /usr/local/sbin
exec unshare --pid --fork --kill-child --mount-proc env "$@" /mnt/node/node /mnt/agent/agent.cjs' agent ${words.join(' ')} </dev/null
`
}
