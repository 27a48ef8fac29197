import { groupSteps, type SingleStep, type SpelledStep, type StepGroup } from '../ip/batches.ts'
import { stepWords } from '../ip/change-words.ts'
import { withShortDevices } from '../ip/device-word.ts'
import type { IpLine } from '../ip/format-change.ts'
import type { Change, Step, UndoStep } from '../model/change.ts'
import { failure, wordsOf } from '../model/failure.ts'
import type { FileState } from '../model/host-state.ts'
import { settingPath } from '../model/paths.ts'
import { assertNoDuplicates } from './duplicate-address.ts'
import { exec, runOnHost } from './exec.ts'
import { exists, programAt, putFiles, removeFile, writeSetting } from './files.ts'
import { notifyDaemon } from './notify-daemons.ts'

/**
 * Applies the steps of a plan. Consecutive `ip` lines run as one batch that stops at the first error; changes made before the error stay.
 *
 * @param root where the host's `/` is mounted
 * @param runProbes runs the duplicate address checks, so that the caller can time them
 * @throws Failure COMMAND_FAILED or ADDRESS_IN_USE that blames the interface of the step
 */
export async function apply(root: string, steps: readonly Step[], runProbes: ProbeRunner = work => work()): Promise<void> {
	for (const group of groupSteps(steps)) {
		if ('batch' in group) await applyBatch(group.batch)
		else if ('writes' in group) await writeFiles(root, group.writes)
		else if ('checks' in group) await runProbes(() => assertNoDuplicates(group.checks))
		else await applySingle(root, group.single)
	}
}

/** Runs the duplicate address checks. `work` returns which checks could not run. */
export type ProbeRunner = (work: () => Promise<readonly string[]>) => Promise<unknown>

/**
 * Applies an undo. Tries every step, even if an earlier one fails. An observation decides whether the undo succeeded.
 *
 * @returns what could not be undone, and why; excludes steps that were already undone or whose link no longer exists
 */
export async function applyUndo(root: string, steps: readonly UndoStep[]): Promise<string[]> {
	const complaints: string[] = []
	for (const group of groupSteps(steps)) {
		if ('batch' in group) complaints.push(...(await applyBatchAnyway(group.batch)))
		else await applyGroup(root, group).catch(error => complaints.push(wordsOf(error)))
	}
	return complaints
}

async function applyGroup(root: string, group: Exclude<StepGroup, { batch: unknown }>): Promise<void> {
	if ('writes' in group) await writeFiles(root, group.writes)
	else if ('single' in group) await applySingle(root, group.single)
}

async function writeFiles(root: string, puts: readonly { path: string; file: FileState }[]): Promise<void> {
	try {
		putFiles(
			root,
			puts.map(({ path, file }) => [path, file] as const),
		)
		// On a host with SELinux, programs cannot read a file that has the label of this container.
		if (exists(root, '/sys/fs/selinux/enforce') && programAt(root, 'restorecon') !== undefined)
			await runOnHost(root, 'restorecon', ['-F', ...puts.map(({ path }) => path)])
	} catch (error) {
		throw failure('COMMAND_FAILED', `files could not be written: ${wordsOf(error)}`, { ofHost: true, cause: error })
	}
}

/** A line that fails because a daemon or the kernel has already made the change is not a failure: the verify step decides. */
async function applyBatch(lines: readonly SpelledStep[]): Promise<void> {
	const { code, stderr } = await runIp(
		lines.map(({ spelled }) => spelled),
		[],
	)
	if (code === 0) return
	const at = Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? 1)
	const failed = lines[at - 1]
	const message = stderr.split('\n').find(line => line && !line.startsWith('Command failed')) ?? `exit status ${code}`
	if (!failed || !isDone(failed.change, message))
		throw failure('COMMAND_FAILED', `ip ${withShortDevices(`${failed?.spelled.line ?? ''}: ${message}`)}`, { id: failed?.id })
	if (at < lines.length) await applyBatch(lines.slice(at))
}

/**
 * Whether the message means that the change is already made. For a route, `File exists` may refer to a different route of another program;
 * for a rule, it always means the same rule.
 */
function isDone({ kind }: Change, message: string): boolean {
	if (kind === 'removeAddress' || kind === 'removeRoute' || kind === 'removeRule')
		return /Cannot assign requested address|[Aa]ddress not found|No such process|No such file or directory|FIB6? table does not exist/.test(
			message,
		)
	if (kind === 'removeAltname') return /No such file or directory|Invalid argument/.test(message)
	return (kind === 'addRule' || kind === 'addAltname') && message.includes('File exists')
}

/** Whether the message means that the object to be restored still exists. */
function isThere({ kind }: Change, message: string): boolean {
	return kind.startsWith('add') && message.includes('File exists')
}

async function applyBatchAnyway(lines: readonly SpelledStep[]): Promise<string[]> {
	const { stderr } = await runIp(
		lines.map(({ spelled }) => spelled),
		['-force'],
	)
	// `ip` prints the message of a line before the number of that line
	return [...stderr.matchAll(/([\s\S]*?)Command failed -:(\d+)\n?/g)].flatMap(([, words = '', at]) => {
		const line = lines[Number(at) - 1]
		const message = words.trim().split('\n').join(', ')
		const isNeedless =
			line === undefined || isDone(line.change, message) || message.includes('Cannot find device') || isThere(line.change, message)
		return isNeedless ? [] : [withShortDevices(`ip ${line.spelled.line}: ${message}`)]
	})
}

function runIp(lines: readonly IpLine[], options: readonly string[]) {
	const family = lines[0]?.family === 6 ? ['-6'] : []
	return exec('ip', [...options, ...family, '-batch', '-'], lines.map(({ line }) => `${line}\n`).join(''))
}

async function applySingle(root: string, step: SingleStep): Promise<void> {
	const { id, change, action } = step
	try {
		if (change?.kind === 'sysctl') writeSetting(`${root}/proc/sys/${settingPath(change.name, change.key)}`, change.value)
		else if (change?.kind === 'removeFile') removeFile(root, change.path)
		else if (action) await notifyDaemon(root, action)
	} catch (error) {
		throw failure('COMMAND_FAILED', `${stepWords(step)}: ${wordsOf(error)}`, { id, cause: error })
	}
}
