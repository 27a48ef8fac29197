import { dirname } from 'node:path'
import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'
import { badRecord } from '../model/bad-record.ts'
import type { FileState } from '../model/host-state.ts'
import {
	CLOUD_INIT_DISABLED,
	CLOUD_INIT_FOLDER,
	CLOUD_INIT_OFF,
	NETPLAN_FOLDERS,
	NETWORK_FOLDERS,
	pathsOf,
	RECORD_PATH,
	SCRIPTS_FOLDER,
	UDEV_ETC_FOLDER,
} from '../model/paths.ts'
import { namesIn } from './files.ts'
import { foreignReader, MAX_BYTES, readFile, readRegularFile } from './read-files.ts'

/** The files that every observation reads. */

/** Maximum bytes of the record, which includes the content that MultiNIC's files replaced. */
const RECORD = 16 * MAX_BYTES

/** @returns path → file: the files that MultiNIC may manage, and the files that it does not manage but reads on every host */
export function filesRead(root: string): Record<string, FileState> {
	const ours = thereOf(root, Array.from({ length: MAX_INTERFACES }, (_, id) => pathsOf(interfaceName(id))).flat())
	const others = [
		...NETPLAN_FOLDERS.flatMap(folder => pathsWith(root, folder, '.yaml')),
		...pathsWith(root, UDEV_ETC_FOLDER, '.rules'),
		...pathsWith(root, CLOUD_INIT_FOLDER, '.cfg'),
		...NETWORK_FOLDERS.flatMap(folder => [...pathsWith(root, folder, '.network'), ...dropIns(root, folder)]),
		...namesIn(root, SCRIPTS_FOLDER).flatMap(name => (name.startsWith('ifcfg-') ? [`${SCRIPTS_FOLDER}/${name}`] : [])),
	]
	const own = new Set([...ours, CLOUD_INIT_OFF])
	const foreign = new Set([...others, CLOUD_INIT_DISABLED].filter(path => !own.has(path)))
	return {
		...pick(foreign, foreignReader(root)),
		...pick(own, path => readFile(root, path)),
		...pick([RECORD_PATH], path => readRecord(root, path)),
	}
}

function readRecord(root: string, path: string): FileState | undefined {
	const found = readRegularFile(root, path, RECORD)
	if (found && 'why' in found) throw badRecord(found.why)
	return found?.file
}

function pick(paths: Iterable<string>, reading: (path: string) => FileState | undefined): Record<string, FileState> {
	return Object.fromEntries(
		[...paths].flatMap(path => {
			const file = reading(path)
			return file ? [[path, file]] : []
		}),
	)
}

/** Returns those paths that exist. Most paths do not, so listing each directory is faster than checking each path. */
function thereOf(root: string, paths: readonly string[]): string[] {
	const folders = new Set(paths.map(dirname))
	const there = new Set([...folders].flatMap(folder => namesIn(root, folder).map(name => `${folder}/${name}`)))
	return paths.filter(path => there.has(path))
}

function dropIns(root: string, folder: string): string[] {
	return pathsWith(root, folder, '.network.d').flatMap(path => pathsWith(root, path, '.conf'))
}

/** @returns the sorted paths of the entries in a directory whose names have this suffix */
export function pathsWith(root: string, folder: string, ending: string): string[] {
	return namesIn(root, folder)
		.filter(name => name.endsWith(ending))
		.map(name => `${folder}/${name}`)
}
