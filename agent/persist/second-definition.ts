import type { FileState, HostState } from '../model/host-state.ts'
import { memoized } from '../model/memoize.ts'
import { netplanPath, pathsOf, RECORD_PATH, SCRIPTS_FOLDER } from '../model/paths.ts'
import { parseRecord } from '../model/record.ts'
import { type Definition, type Nic, readers, unclear } from './definition-readers.ts'
import { shellKeyOf, withoutComments } from './foreign-text.ts'
import { iniEntries, iniValue } from './ini.ts'

/** @returns every file other than MultiNIC's that defines the NIC, ordered by path; a generated file is reported by its netplan source */
export function definitionsOf(nic: Nic, host: HostState): Definition[] {
	const ours = new Set([...pathsOf(nic.name), netplanPath(nic.name)])
	return readable(host.files)
		.filter(({ path }) => !ours.has(path))
		.flatMap(({ path, file, reader: { kind, find } }) => {
			const { unreadable } = file
			const found = unreadable === undefined ? find({ path, file, nic, host }) : [unclear(unreadable, 'ls -l')]
			return found.map(one => ({ path, kind, ...one }))
		})
}

/**
 * Returns every file that is not managed by MultiNIC and that a reader handles, sorted by path. Each NIC is compared with all of them, so
 * the result is computed only once.
 */
const readable = memoized((files: HostState['files']) => {
	const written = new Map(parseRecord(files[RECORD_PATH]).links.flatMap(ours => Object.entries(ours.files)))
	const isAsWritten = (path: string, { content }: FileState) => written.get(path)?.after === content
	return Object.entries(files)
		.flatMap(([path, file]) => {
			const reader = isGenerated(path) || isAsWritten(path, file) ? undefined : readers.find(one => one.reads(path))
			return reader ? [{ path, file, reader }] : []
		})
		.toSorted((a, b) => (a.path < b.path ? -1 : 1))
})

/** @returns `/etc/netplan/60-a.yaml also defines multinic0, by its MAC fa:16:… (cat /etc/netplan/60-a.yaml)` */
export function definitionWords({ path, by, why, see }: Definition, { name, macAddress }: Nic): string {
	if (by === 'unclear') return `${path} cannot be read and may also define ${name}: ${why} (${see} ${path})`
	return `${path} also defines ${name}, by its ${by}${by === 'MAC' ? ` ${macAddress}` : ''} (cat ${path})`
}

/** @returns files that still define or mention a managed interface by its name, each with that name */
export function mentionsOfOurs(host: HostState): { path: string; name: string }[] {
	return Object.entries(host.files).flatMap(([path, { content }]) => {
		const name = readers.some(({ reads }) => reads(path)) ? /\bmultinic\d\b/.exec(withoutComments(content))?.[0] : undefined
		return name === undefined ? [] : [{ path, name }]
	})
}

/** @returns files not managed by MultiNIC that may define anything, because they cannot be read */
export function unreadableFiles({ files }: HostState): { path: string; why: string }[] {
	return readable(files).flatMap(({ path, file: { unreadable: why } }) => (why === undefined ? [] : [{ path, why }]))
}

/** @returns the profile of NetworkManager or of initscripts that defines a VLAN on top of a link of this name */
export function profileOnLink(name: string, host: HostState): string | undefined {
	return Object.entries(host.files).find(([path, { content }]) => {
		if (path.includes('/NetworkManager/system-connections/'))
			return ['parent', 'master'].some(key => iniValue(iniEntries(content, false), key) === name)
		if (!path.startsWith(`${SCRIPTS_FOLDER}/ifcfg-`)) return false
		return shellKeyOf(content, 'PHYSDEV') === name || (shellKeyOf(content, 'DEVICE') ?? '').startsWith(`${name}.`)
	})?.[0]
}

/** Whether netplan's generator made this file at boot; the readers handle its netplan source instead. */
function isGenerated(path: string): boolean {
	return /^\/run\/.*\/(10-netplan-|99-netplan-|90-netplan|netplan-)[^/]*$/.test(path)
}
