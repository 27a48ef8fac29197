import { execOnHost } from '../host/exec.ts'
import { namesIn, putFile, removeAll } from '../host/files.ts'
import { readFile } from '../host/read-files.ts'
import type { Refusal } from '../model/check.ts'
import { failure, wordsOf } from '../model/failure.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { generated, NETWORK_FOLDER, SCRATCH_FOLDER } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import { isNetplan, keepingOf } from '../persist/backend.ts'
import { type Changing, type Files, netplanAfter, netplanFilesOf } from '../persist/netplan-after.ts'
import { causeIn, complaintWords } from '../persist/netplan-complaint.ts'
import { bootNames, isSameBelow, networkFileFor } from '../persist/networkd-match.ts'
import type { Generated } from '../plan/file-steps.ts'
import { changedAtBoot, changeWords } from './changed-at-boot.ts'
import type { Verdict } from './generator-output.ts'

/**
 * Changes that must not be made, because netplan's generator would then reject the files of all links: by id, and by the MAC of a removal.
 */
export type Foreseen = { failed: ReadonlyMap<number, Refusal>; kept: ReadonlyMap<string, Refusal> }

/** Runs netplan's generator in a scratch root, on copies of the host's files, so that it never touches the real /run. */
export type Generator = {
	/**
	 * Checks netplan's files as they will be, before anything is written. If the generator accepts the current set but would reject the new
	 * one, the node would lose all its links at the next boot. Refuses nothing if nothing changes, or if the generator already rejects the
	 * current files.
	 */
	foresee(changing: Changing, host: HostState): Promise<Foreseen>
	/**
	 * Generates files from MultiNIC's files, together with the host's. Does not run the generator if its output is on the host unchanged.
	 *
	 * @throws Failure COMMAND_FAILED when it rejects MultiNIC's files
	 */
	generate(changing: Changing, host: HostState): Promise<Generated>
	/** @returns why the next boot would not generate what is on the host now from MultiNIC's files; undefined: it would */
	complaint(accepted: readonly Accepted[], host: HostState): Promise<string | undefined>
}

/** @param root where the host's `/` is mounted */
export function generatorAt(root: string): Generator {
	const known = new Map<string, Verdict>()
	const ask = async (input: Files, paths: readonly string[], generator: string) => {
		const key = keyOf(input, paths)
		const verdict = known.get(key) ?? (await generate(root, { input, paths, generator }))
		known.set(key, verdict)
		return verdict
	}
	return {
		async foresee(changing, host) {
			const { generator } = host
			if (generator === undefined || !changesFiles(changing, host)) return NOTHING
			const judge = async (some: Changing) => (await ask(netplanAfter(some, host), pathsMade(some.accepted, host), generator)).complaint
			if ((await judge(changing)) === undefined || (await judge(NO_CHANGE)) !== undefined) return NOTHING
			return oneByOne(changing, judge)
		},
		async generate(changing, host) {
			const { accepted } = changing
			const paths = pathsMade(accepted, host)
			if (host.generator === undefined || paths.length === 0) return {}
			if (accepted.every(one => isGenerated(one, host))) return pick(paths, path => host.files[path])
			const together = await ask(netplanAfter(changing, host), paths, host.generator)
			if (together.complaint === undefined) return together.files
			// The cause may be a file that is not managed by MultiNIC. Then MultiNIC's files alone are enough for now, and the proof reports it.
			const ours = await ask(netplanFilesOf(accepted, host), paths, host.generator)
			if (ours.complaint !== undefined) throw failure('COMMAND_FAILED', `netplan's generator rejects: ${ours.complaint}`)
			return ours.files
		},
		async complaint(accepted, host) {
			const paths = pathsMade(accepted, host)
			const input = netplanAfter({ accepted, released: [] }, host)
			// A run that has nothing to do does not start the generator.
			const { generator } = host
			if (generator === undefined || (paths.length === 0 && !known.has(keyOf(input, paths)))) return undefined
			const { complaint, files, made = {} } = await ask(input, paths, generator)
			if (complaint !== undefined) return complaintWords('rejects its files', complaint)
			const changed = changedAtBoot(paths, { files }, host)
			if (changed === undefined) return overruled(accepted, made, host)
			return changeWords(changed, input, { accepted, host }, some => ask(some, paths, generator))
		},
	}
}

/** systemd-networkd uses the first file that matches, and netplan names each file after the id in its source. */
function overruled(accepted: readonly Accepted[], made: Files, host: HostState): string | undefined {
	const others = Object.entries(host.files).filter(([path]) => !path.startsWith(`${NETWORK_FOLDER}/10-netplan-`))
	const files = { ...Object.fromEntries(others), ...made }
	const all = accepted.filter(({ nic }) => keepingOf(host).generated(nic.name).includes(generated.network(nic.name)))
	const [first] = all.flatMap(({ nic, link, ours }) => {
		const path = networkFileFor(files, { names: bootNames(nic, link, ours?.original), mac: nic.macAddress })
		return path === undefined || path === generated.network(nic.name) ? [] : [{ path, nic }]
	})
	return first && `systemd-networkd would follow ${first.path} for ${first.nic.name}, which netplan makes at boot (netplan get)`
}

const NO_CHANGE: Changing = { accepted: [], released: [] }
const NOTHING: Foreseen = { failed: new Map(), kept: new Map() }

/** The generator does not depend on the owner of a file or when it was written. */
function keyOf(input: Files, paths: readonly string[]): string {
	return JSON.stringify([Object.entries(input).map(([path, { content }]) => [path, content]), paths])
}

/** Adds one change after the other, removals last, and excludes each one with which the generator would reject the files. */
async function oneByOne(all: Changing, judge: (some: Changing) => Promise<string | undefined>): Promise<Foreseen> {
	let good = NO_CHANGE
	const failed = new Map<number, Refusal>()
	const kept = new Map<string, Refusal>()
	for (const one of all.accepted) {
		const more = { ...good, accepted: [...good.accepted, one] }
		const complaint = await judge(more)
		if (complaint === undefined) good = more
		else failed.set(one.nic.id, wouldBeRefused(complaint))
	}
	for (const one of all.released) {
		const more = { ...good, released: [...good.released, one] }
		const complaint = await judge(more)
		if (complaint === undefined) good = more
		else kept.set(one.ours.mac, neededByOthers(complaint))
	}
	return { failed, kept }
}

function wouldBeRefused(complaint: string): Refusal {
	return { reason: 'InUse', message: complaintWords('would reject its files at boot', complaint) }
}

function neededByOthers(complaint: string): Refusal {
	const { reason, message } = wouldBeRefused(complaint)
	return { reason, message: `${message}; take it out of that file first` }
}

function changesFiles({ accepted, released }: Changing, host: HostState): boolean {
	const isNetplanHost = keepingOf(host).generated('multinic0').length > 0
	const isRemoved = released.some(({ ours }) => Object.keys(ours.files).some(isNetplan))
	return isNetplanHost && (isRemoved || !accepted.every(one => isGenerated(one, host)))
}

function pathsMade(accepted: readonly Accepted[], host: HostState): string[] {
	const keeping = keepingOf(host)
	return accepted.flatMap(({ nic }) => keeping.generated(nic.name))
}

function isGenerated({ nic, ours }: Accepted, host: HostState): boolean {
	const keeping = keepingOf(host)
	const made = keeping.generated(nic.name)
	const same = ([path, { content }]: [string, FileState]) => host.files[path]?.content === content
	return (
		Object.entries(keeping.files(nic, host)).every(same) &&
		made.every(path => ours?.files[path] !== undefined && isSameBelow(host.files[path]?.content, ours.files[path].after))
	)
}

type Task = { input: Files; paths: readonly string[]; generator: string }

async function generate(root: string, { input, paths, generator }: Task): Promise<Verdict> {
	try {
		putInput(root, input)
		const { code, stderr } = await execOnHost(root, generator, ['--root-dir', SCRATCH_FOLDER])
		if (code !== 0) return { files: {}, complaint: causeIn(stderr) }
		const networks = namesIn(root, SCRATCH_FOLDER + NETWORK_FOLDER).flatMap(name =>
			name.endsWith('.network') ? [`${NETWORK_FOLDER}/${name}`] : [],
		)
		const read = (path: string) => readFile(root, SCRATCH_FOLDER + path)
		return { files: pick(paths, read), made: pick(networks, read) }
	} finally {
		removeAll(root, SCRATCH_FOLDER)
	}
}

function putInput(root: string, files: Files): void {
	try {
		removeAll(root, SCRATCH_FOLDER)
		for (const [path, file] of Object.entries(files)) putFile(root, SCRATCH_FOLDER + path, file)
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
