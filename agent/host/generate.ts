import { rmSync } from 'node:fs'
import { failure, wordsOf } from '../failure.ts'
import { SCRATCH_FOLDER } from '../paths.ts'
import { isNetplan, type Keeping, keepingOf } from '../persist/backend.ts'
import type { Generated } from '../plan/files.ts'
import { type Accepted, recordOf } from '../plan/select.ts'
import { execOnHost } from './exec.ts'
import { putFile, readFile } from './files.ts'
import type { FileState, HostState } from './state.ts'

/** What netplan's own generator makes of files, and what it says where it refuses them. */
export type Verdict = { files: Generated; complaint?: string }

/** netplan's own generator in a scratch root, on copies of the host's files: the real /run is never touched by it. */
export type Generator = {
	/**
	 * What it makes of our files, beside the host's. Where they are on the host already as they were made, it is not run.
	 *
	 * @throws Failure COMMAND_FAILED when it refuses ours
	 */
	generate(accepted: readonly Accepted[], host: HostState): Promise<Generated>
	/** @returns why the next boot would not make of our files what is on the host now; undefined: it would */
	complaint(accepted: readonly Accepted[], host: HostState): Promise<string | undefined>
}

/** @param root where the host's `/` is mounted */
export function generatorAt(root: string): Generator {
	let last: { key: string; verdict: Verdict } | undefined
	const ask = async (input: Files, paths: readonly string[], generator: string) => {
		const key = JSON.stringify([input, paths])
		if (last?.key !== key) last = { key, verdict: await generate(root, { input, paths, generator }) }
		return last.verdict
	}
	return {
		async generate(accepted, host) {
			const keeping = keepingOf(host)
			const paths = pathsMade(accepted, keeping)
			if (host.generator === undefined || paths.length === 0) return {}
			if (accepted.every(one => isGenerated(one, keeping, host))) return pick(paths, path => host.files[path])
			const together = await ask(inputOf(accepted, keeping, host), paths, host.generator)
			if (together.complaint === undefined) return together.files
			// What is wrong may be a file of others: then ours alone will do for now, and the proof tells of it.
			const ours = await ask(filesFor(accepted, keeping, host), paths, host.generator)
			if (ours.complaint !== undefined) throw failure('COMMAND_FAILED', `netplan's generator refuses: ${ours.complaint}`)
			return ours.files
		},
		async complaint(accepted, host) {
			const keeping = keepingOf(host)
			const paths = pathsMade(accepted, keeping)
			if (host.generator === undefined || paths.length === 0) return undefined
			const { complaint, files } = await ask(inputOf(accepted, keeping, host), paths, host.generator)
			if (complaint !== undefined) return `netplan's generator refuses: ${complaint}`
			const other = paths.find(path => files[path]?.content !== host.files[path]?.content)
			return other === undefined ? undefined : `netplan's generator would make another ${other}`
		},
	}
}

type Files = Readonly<Record<string, FileState>>

function pathsMade(accepted: readonly Accepted[], keeping: Keeping): string[] {
	return accepted.flatMap(({ nic }) => keeping.generated(nic.name))
}

function isGenerated({ nic, ours }: Accepted, keeping: Keeping, host: HostState): boolean {
	const made = keeping.generated(nic.name)
	const same = ([path, { content }]: [string, FileState]) => host.files[path]?.content === content
	return (
		Object.entries(keeping.files(nic, host)).every(same) &&
		made.every(path => ours?.files[path] !== undefined && host.files[path]?.content === ours.files[path].after)
	)
}

/** Files of links that are given back in this run are left out. */
function inputOf(accepted: readonly Accepted[], keeping: Keeping, host: HostState): Files {
	const ours = new Set(recordOf(host).links.flatMap(({ files }) => Object.keys(files)))
	const theirs = Object.entries(host.files).filter(([path]) => isNetplan(path) && !ours.has(path))
	return { ...Object.fromEntries(theirs), ...filesFor(accepted, keeping, host) }
}

function filesFor(accepted: readonly Accepted[], keeping: Keeping, host: HostState): Files {
	return Object.fromEntries(accepted.flatMap(({ nic }) => Object.entries(keeping.files(nic, host)).filter(([path]) => isNetplan(path))))
}

type Task = { input: Files; paths: readonly string[]; generator: string }

async function generate(root: string, { input, paths, generator }: Task): Promise<Verdict> {
	const scratch = root + SCRATCH_FOLDER
	try {
		putInput(scratch, input)
		const { code, stderr } = await execOnHost(root, generator, ['--root-dir', SCRATCH_FOLDER])
		return code === 0 ? { files: pick(paths, path => readFile(scratch + path)) } : { files: {}, complaint: causeIn(stderr) }
	} finally {
		rmSync(scratch, { recursive: true, force: true })
	}
}

/** It warns of other things first, names the copies that it was given, and at last shows the faulty line, which may hold what others keep secret. */
function causeIn(stderr: string): string {
	const lines = stderr.replaceAll(SCRATCH_FOLDER, '').split('\n')
	const cause = lines.find(line => line.trim() && !line.includes('WARNING **')) ?? 'it says nothing'
	return cause.trim().replace(/:$/, '')
}

function putInput(scratch: string, files: Files): void {
	try {
		rmSync(scratch, { recursive: true, force: true })
		for (const [path, file] of Object.entries(files)) putFile(scratch + path, file)
	} catch (error) {
		throw failure('COMMAND_FAILED', `what netplan's generator is to read cannot be written, so nothing was changed: ${wordsOf(error)}`, {
			cause: error,
		})
	}
}

function pick(paths: readonly string[], read: (path: string) => FileState | undefined): Generated {
	return Object.fromEntries(
		paths.flatMap(path => {
			const file = read(path)
			return file ? [[path, file] as const] : []
		}),
	)
}
