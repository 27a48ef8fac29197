import childProcess from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import recorded from './recorded.json' with { type: 'json' }
import { agentScript, compiledIn } from './script.ts'

/**
 * Executes one run on a recorded node, and stores the code that V8 compiled for it (measured: 30 ms less per run). Used to build the image,
 * which must not touch the network: the output of every program that the run starts comes from `recorded.json`, and a temporary directory
 * serves as the host.
 */
const folder = dirname(process.argv[1] ?? '')
const root = mkdtempSync(join(tmpdir(), 'multinic-warm-up-'))
for (const path of ['etc/netplan', 'etc/sysctl.d', 'run', 'var/lib']) mkdirSync(join(root, path), { recursive: true })
writeFileSync(join(root, 'config.json'), JSON.stringify(recorded.config))
Object.assign(process.env, { AGENT_CONFIG: join(root, 'config.json'), HOST_ROOT: root, REPORT_FILE: join(root, 'report.json') })
Object.assign(childProcess, { execFile: answer })
const script = agentScript(folder)
process.once('exit', status => {
	if (status === 0) keep()
	rmSync(root, { recursive: true })
})
script.runInThisContext()

/**
 * A code cache is valid only for the V8 flags under which it was made, and at that point the agent runs under different flags than when it
 * is loaded.
 */
function keep(): void {
	for (const flag of ['--opt', '--maglev']) setFlagsFromString(flag)
	writeFileSync(compiledIn(folder), script.createCachedData())
}

type Told = (error: { code: number } | null, stdout: string, stderr: string) => void

/**
 * Replaces `execFile` and returns the recorded output of the program. Each call gets the next recorded answer; after the last one, that one
 * is repeated.
 */
function answer(program: string, args: readonly string[], _: unknown, tell: Told): unknown {
	const answers = (recorded.answers as Record<string, Answer[]>)[[program, ...args].join(' ')]
	const { code, stdout, stderr } = (answers && answers.length > 1 ? answers.shift() : answers?.[0]) ?? UNKNOWN
	setImmediate(() => tell(code === 0 ? null : { code }, stdout, stderr))
	return {}
}

type Answer = { code: number; stdout: string; stderr: string }
const UNKNOWN: Answer = { code: 127, stdout: '', stderr: 'this program is not in the recording' }
