import { dirname } from 'node:path'
import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'
import { badRecord } from '../bad-record.ts'
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
} from '../paths.ts'
import { namesIn } from './files.ts'
import { foreignReader, MOST, read, readFile } from './read.ts'
import type { FileState } from './state.ts'

/** The files that every observation reads. */

/** Bytes of the record, which holds what our files replaced. */
const RECORD = 16 * MOST

/** @returns path → file: those that may be ours, and those of others that are read on every host */
export function filesOf(root: string): Record<string, FileState> {
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
	const found = read(root, path, RECORD)
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

/** Most of them are not there, which a list of each folder tells sooner than a look at each. */
function thereOf(root: string, paths: readonly string[]): string[] {
	const folders = new Set(paths.map(dirname))
	const there = new Set([...folders].flatMap(folder => namesIn(root, folder).map(name => `${folder}/${name}`)))
	return paths.filter(path => there.has(path))
}

function dropIns(root: string, folder: string): string[] {
	return pathsWith(root, folder, '.network.d').flatMap(path => pathsWith(root, path, '.conf'))
}

/** @returns paths of a folder whose names end so, sorted */
export function pathsWith(root: string, folder: string, ending: string): string[] {
	return namesIn(root, folder)
		.filter(name => name.endsWith(ending))
		.map(name => `${folder}/${name}`)
}
