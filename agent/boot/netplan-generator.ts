import { execOnHost } from '../host/exec.ts'
import { namesIn, putFile, removeAll } from '../host/files.ts'
import { readFile } from '../host/read-files.ts'
import type { Refusal } from '../model/check.ts'
import { failure, wordsOf } from '../model/failure.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { generated, NETWORK_FOLDER, SCRATCH_FOLDER } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import { backendFor, isNetplan } from '../persist/backend.ts'
import { netplanAfter, type NetplanFiles, netplanFilesOf, type RunChanges } from '../persist/netplan-after.ts'
import { causeIn, complaintWords } from '../persist/netplan-complaint.ts'
import { bootNames, isSameBelow, networkFileFor } from '../persist/networkd-match.ts'
import type { Generated } from '../plan/file-steps.ts'
import { changeCause, changedAtBoot } from './changed-at-boot.ts'
import type { GeneratorOutput } from './generator-output.ts'

/**
 * Changes that must not be made, because netplan's generator would then reject the files of all links: interfaces by ID, and removals by
 * MAC.
 */
export type RejectedChanges = { failed: ReadonlyMap<number, Refusal>; kept: ReadonlyMap<string, Refusal> }

/** Runs netplan's generator in a scratch root on copies of the host's files, so that the host's real /run is never touched. */
export type Generator = {
	/**
	 * Checks the netplan files as they will be after the run, before anything is written. If the generator accepts the current files but
	 * would reject the new ones, the node would lose all its links at the next boot. Rejects nothing if nothing changes, or if the generator
	 * already rejects the current files.
	 */
	predictRejections(changing: RunChanges, host: HostState): Promise<RejectedChanges>
	/**
	 * Generates files from MultiNIC's netplan files together with those of the host. Does not run the generator if its output is already on
	 * the host, unchanged.
	 *
	 * @throws Failure COMMAND_FAILED when the generator rejects MultiNIC's files
	 */
	generate(changing: RunChanges, host: HostState): Promise<Generated>
	/** @returns why the next boot would not generate the current files of the host from MultiNIC's files; undefined if it would */
	complaint(accepted: readonly Accepted[], host: HostState): Promise<string | undefined>
}

/** @param root where the host's `/` is mounted */
export function generatorAt(root: string): Generator {
	const known = new Map<string, GeneratorOutput>()
	const runGenerator = async (input: NetplanFiles, paths: readonly string[], generator: string) => {
		const key = inputKey(input, paths)
		const verdict = known.get(key) ?? (await generate(root, { input, paths, generator }))
		known.set(key, verdict)
		return verdict
	}
	return {
		async predictRejections(changing, host) {
			const { generator } = host
			if (generator === undefined || !changesFiles(changing, host)) return NO_REJECTIONS
			const complaintFor = async (some: RunChanges) =>
				(await runGenerator(netplanAfter(some, host), pathsMade(some.accepted, host), generator)).complaint
			if ((await complaintFor(changing)) === undefined || (await complaintFor(NO_CHANGE)) !== undefined) return NO_REJECTIONS
			return oneByOne(changing, complaintFor)
		},
		async generate(changing, host) {
			const { accepted } = changing
			const paths = pathsMade(accepted, host)
			if (host.generator === undefined || paths.length === 0) return {}
			if (accepted.every(one => isGenerated(one, host))) return pick(paths, path => host.files[path])
			const together = await runGenerator(netplanAfter(changing, host), paths, host.generator)
			if (together.complaint === undefined) return together.files
			// The cause may be a file that MultiNIC does not manage. Then the output for MultiNIC's files alone is enough for now, and the proof
			// reports the cause.
			const ours = await runGenerator(netplanFilesOf(accepted, host), paths, host.generator)
			if (ours.complaint !== undefined) throw failure('COMMAND_FAILED', `netplan's generator rejects: ${ours.complaint}`)
			return ours.files
		},
		async complaint(accepted, host) {
			const paths = pathsMade(accepted, host)
			const input = netplanAfter({ accepted, released: [] }, host)
			// A run without changes does not start the generator.
			const { generator } = host
			if (generator === undefined || (paths.length === 0 && !known.has(inputKey(input, paths)))) return undefined
			const { complaint, files, made = {} } = await runGenerator(input, paths, generator)
			if (complaint !== undefined) return complaintWords('rejects its files', complaint)
			const changed = changedAtBoot(paths, { files }, host)
			if (changed === undefined) return overridingNetwork(accepted, made, host)
			return changeCause(changed, input, { accepted, host }, some => runGenerator(some, paths, generator))
		},
	}
}

/** systemd-networkd uses the first file that matches, and netplan names each file after the ID in its source. */
function overridingNetwork(accepted: readonly Accepted[], made: NetplanFiles, host: HostState): string | undefined {
	const others = Object.entries(host.files).filter(([path]) => !path.startsWith(`${NETWORK_FOLDER}/10-netplan-`))
	const files = { ...Object.fromEntries(others), ...made }
	const all = accepted.filter(({ nic }) => backendFor(host).generated(nic.name).includes(generated.network(nic.name)))
	const [first] = all.flatMap(({ nic, link, ours }) => {
		const path = networkFileFor(files, { names: bootNames(nic, link, ours?.original), mac: nic.macAddress })
		return path === undefined || path === generated.network(nic.name) ? [] : [{ path, nic }]
	})
	return first && `systemd-networkd would apply ${first.path}, which netplan creates at boot, to ${first.nic.name} (netplan get)`
}

const NO_CHANGE: RunChanges = { accepted: [], released: [] }
const NO_REJECTIONS: RejectedChanges = { failed: new Map(), kept: new Map() }

/** The output of the generator does not depend on the owner of a file or on when it was written. */
function inputKey(input: NetplanFiles, paths: readonly string[]): string {
	return JSON.stringify([Object.entries(input).map(([path, { content }]) => [path, content]), paths])
}

/** Adds the changes one by one, removals last, and excludes each change that would make the generator reject the files. */
async function oneByOne(all: RunChanges, complaintFor: (some: RunChanges) => Promise<string | undefined>): Promise<RejectedChanges> {
	let good = NO_CHANGE
	const failed = new Map<number, Refusal>()
	const kept = new Map<string, Refusal>()
	for (const one of all.accepted) {
		const more = { ...good, accepted: [...good.accepted, one] }
		const complaint = await complaintFor(more)
		if (complaint === undefined) good = more
		else failed.set(one.nic.id, rejection(complaint))
	}
	for (const one of all.released) {
		const more = { ...good, released: [...good.released, one] }
		const complaint = await complaintFor(more)
		if (complaint === undefined) good = more
		else kept.set(one.ours.mac, neededByOthers(complaint))
	}
	return { failed, kept }
}

function rejection(complaint: string): Refusal {
	return { reason: 'InUse', message: complaintWords('would reject its files at boot', complaint) }
}

function neededByOthers(complaint: string): Refusal {
	const { reason, message } = rejection(complaint)
	return { reason, message: `${message}; remove it from that file first` }
}

function changesFiles({ accepted, released }: RunChanges, host: HostState): boolean {
	const isNetplanHost = backendFor(host).generated('multinic0').length > 0
	const isRemoved = released.some(({ ours }) => Object.keys(ours.files).some(isNetplan))
	return isNetplanHost && (isRemoved || !accepted.every(one => isGenerated(one, host)))
}

function pathsMade(accepted: readonly Accepted[], host: HostState): string[] {
	const keeping = backendFor(host)
	return accepted.flatMap(({ nic }) => keeping.generated(nic.name))
}

function isGenerated({ nic, ours }: Accepted, host: HostState): boolean {
	const keeping = backendFor(host)
	const made = keeping.generated(nic.name)
	const same = ([path, { content }]: [string, FileState]) => host.files[path]?.content === content
	return (
		Object.entries(keeping.files(nic, host)).every(same) &&
		made.every(path => ours?.files[path] !== undefined && isSameBelow(host.files[path]?.content, ours.files[path].after))
	)
}

type GeneratorInput = { input: NetplanFiles; paths: readonly string[]; generator: string }

async function generate(root: string, { input, paths, generator }: GeneratorInput): Promise<GeneratorOutput> {
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

function putInput(root: string, files: NetplanFiles): void {
	try {
		removeAll(root, SCRATCH_FOLDER)
		for (const [path, file] of Object.entries(files)) putFile(root, SCRATCH_FOLDER + path, file)
	} catch (error) {
		throw failure('COMMAND_FAILED', `the input of netplan's generator cannot be written, so nothing was changed: ${wordsOf(error)}`, {
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
