import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'
import { type ActionStep, changedFile, type ChangeStep, changeStep, type Step } from '../model/change.ts'
import type { FileState, HostState, Link } from '../model/host-state.ts'
import { isOfUdev, isProfile, pathsOf, RECORD_PATH } from '../model/paths.ts'
import { type HostRecord, type RecordedLink, recordFile, recordOf } from '../model/record.ts'
import type { Accepted, Selection } from '../model/selection.ts'
import { type BackendFiles, backendFor } from '../persist/backend.ts'
import { cloudInitFiles } from '../persist/cloud-init.ts'
import { isSameBelow } from '../persist/networkd-match.ts'
import { recordLink } from './record-link.ts'

/** The files that netplan's generator makes from MultiNIC's files, path → file; empty if the host has no generator. */
export type Generated = Readonly<Record<string, FileState>>

/**
 * Writes the files for the next boot, restores the originals of files that are removed, writes the record, and finally makes udev and
 * NetworkManager reload their files.
 */
export function fileSteps(selection: Selection, host: HostState, generated: Generated): Step[] {
	const record = recordOf(host)
	const backend = backendFor(host)
	const wanted = new Map(selection.accepted.map(accepted => [accepted, bootFilesOf(accepted, backend, { host, generated })]))
	const staying = stayingRecords(record, selection)
	const kept = new Set([...wanted.values(), ...staying.map(({ files }) => files)].flatMap(files => Object.keys(files)))
	const puts = [...wanted].flatMap(([{ nic }, files]) =>
		Object.entries(files).flatMap(([path, file]) => writeStep(nic.id, path, file, host)),
	)
	const given = [...selection.released.map(({ ours }) => ours), ...selection.accepted.flatMap(({ ours }) => ours ?? [])]
	const back = given.flatMap(ours =>
		Object.entries(ours.files)
			.filter(([path]) => !kept.has(path))
			.flatMap(([path, { before }]) => writeStep(undefined, path, before ?? undefined, host)),
	)
	const files = withoutRepeats([...puts, ...back])
	return [
		...files,
		...writeStep(undefined, RECORD_PATH, recordFile(newRecord(record, wanted, { selection, host })), host),
		...reloadSteps(files, host),
		...loadSteps(files, backend, host),
	]
}

/** Returns all files of one interface for the next boot. */
export function bootFilesOf({ nic }: Accepted, backend: BackendFiles, { host, generated }: { host: HostState; generated: Generated }) {
	const made = backend.generated(nic.name).flatMap(path => (generated[path] ? [[path, generated[path]] as const] : []))
	return { ...backend.files(nic, host), ...cloudInitFiles(nic, host), ...Object.fromEntries(made) } as Record<string, FileState>
}

function writeStep(id: number | undefined, path: string, file: FileState | undefined, { files }: HostState): ChangeStep[] {
	const now = files[path]
	if (now?.content === file?.content && now?.mode === file?.mode) return []
	return [changeStep(id, file ? { kind: 'writeFile', path, file } : { kind: 'removeFile', path })]
}

/** Removes duplicate steps, because interfaces may share a file. */
function withoutRepeats(steps: readonly ChangeStep[]): ChangeStep[] {
	return steps.filter((step, at) => steps.findIndex(other => changedFile(other) === changedFile(step)) === at)
}

function reloadSteps(files: readonly ChangeStep[], { udev }: HostState): ActionStep[] {
	return udev && files.some(step => isOfUdev(changedFile(step) ?? '')) ? [{ action: { kind: 'reloadUdev' } }] : []
}

/** NetworkManager loads a changed profile only on request. */
function loadSteps(files: readonly ChangeStep[], { profile }: BackendFiles, { networkmanager }: HostState): ActionStep[] {
	if (!networkmanager || !profile) return []
	const changed = new Set(files.map(changedFile))
	const names = Array.from({ length: MAX_INTERFACES }, (_, id) => interfaceName(id))
	const paths = names.filter(name => pathsOf(name).some(path => changed.has(path) && isProfile(path))).map(profile)
	return paths.length === 0 ? [] : [{ action: { kind: 'loadProfiles', paths } }]
}

type FilesByInterface = ReadonlyMap<Accepted, Record<string, FileState>>

/**
 * A link that this run cannot configure keeps its record. A released link that cannot get its original name yet keeps a record with that
 * name.
 */
function newRecord(
	record: HostRecord,
	files: FilesByInterface,
	{ selection, host }: { selection: Selection; host: HostState },
): HostRecord {
	const before = new Map(record.links.flatMap(link => Object.entries(link.files).map(([path, file]) => [path, file.before] as const)))
	const beforeOf = (path: string) => (before.has(path) ? (before.get(path) ?? null) : (host.files[path] ?? null))
	const ours = selection.accepted.map(
		(accepted): RecordedLink => ({
			...recordLink(accepted, host),
			files: Object.fromEntries(
				Object.entries(files.get(accepted) ?? {}).map(([path, { content }]) => [
					path,
					{ before: beforeOf(path), after: recordedOr(content, accepted.ours?.files[path]?.after) },
				]),
			),
		}),
	)
	return { version: 1, links: [...ours, ...stayingRecords(record, selection), ...recordsOfMisnamed(selection)] }
}

/** Keeps the recorded content if the new one differs only in the VLANs and tunnels that other programs define on top of the link. */
function recordedOr(content: string, recorded: string | undefined): string {
	return recorded !== undefined && isSameBelow(recorded, content) ? recorded : content
}

/** Returns the records of links that this run leaves unchanged, because the interface or its removal is refused. */
function stayingRecords(record: HostRecord, { refused, kept }: Selection): RecordedLink[] {
	const macs = new Set([...refused.map(({ nic }) => nic.macAddress), ...kept.map(({ ours }) => ours.mac)])
	return record.links.filter(({ mac }) => macs.has(mac))
}

function recordsOfMisnamed({ released, moves }: Selection): RecordedLink[] {
	const nameOf = (link: Link) => moves.find(move => move.link === link.ifindex)?.to ?? link.name
	return released.flatMap(({ ours, link }) =>
		link && nameOf(link) !== ours.original.name ? [{ ...ours, addresses: [], routes: [], files: {} }] : [],
	)
}
