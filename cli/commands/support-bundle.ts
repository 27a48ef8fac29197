import { Option } from 'commander'
import about from '../../package.json' with { type: 'json' }
import { isKubeFailure } from '../../runtime/kube/index.ts'
import { writeArchive } from '../bundle/archive.ts'
import { type Collected, collect } from '../bundle/collect.ts'
import { logParts } from '../bundle/logs.ts'
import { objectParts } from '../bundle/parts.ts'
import { failure } from '../model/failures.ts'
import { type FleetReading, readFleet } from '../read/fleet.ts'
import { indexText } from '../bundle/index-page.ts'
import { sentenceOf } from '../render/failure.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import { exitCodes } from '../model/io.ts'

export const supportBundle: CommandSpec<{ file?: string }> = {
	name: 'support-bundle',
	nodes: 'none',
	about: 'Collect diagnostic data in one file',
	options: [
		new Option(
			'-o, --file <file>',
			'file to write, or - for standard output (default: multinic-support-TIME.tar.gz in the current directory)',
		),
	],
	more: 'Secrets are never read. index.txt lists what could not be read, with the error.',
	async act(session, _, flags) {
		const { io, cluster, print, warn } = session
		const now = io.now()
		const name = `multinic-support-${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}`
		const collected = await collectAll(session)
		const { server, namespace } = cluster
		const index = indexText({ ...collected, server, namespace, version: about.version, now })
		const file = flags.file === '-' ? '/dev/stdout' : (flags.file ?? `${name}.tar.gz`)
		const isFile = await session.progress(
			`writing ${file}`,
			writeArchive(file, name, [{ path: 'index.txt', text: index }, ...collected.files], new Date(now)),
		)
		for (const { path, error } of collected.missing) warn(`warning: ${path} is missing: ${error}`)
		const said = `${file}: ${collected.files.length + 1} files; start with index.txt`
		// if the bundle was not written to a file, it may have gone to standard output
		if (isFile) print([said])
		else warn(said)
		return exitCodes.ok
	},
}

type All = Collected & { fleet: FleetReading | undefined; leftOut: number }

/** @throws Failure NOT_WRITTEN if nothing could be read, because a bundle without content would be misleading */
async function collectAll(session: Session): Promise<All> {
	const missing: Collected['missing'] = []
	const unless = async <T>(path: string, asked: Promise<T>): Promise<T | undefined> => {
		try {
			return await asked
		} catch (error) {
			if (!isKubeFailure(error) || session.signal.aborted) throw error
			missing.push({ path, error: sentenceOf(error) })
			return undefined
		}
	}
	const fleet = await unless('the fleet', readFleet(session))
	const logs = await unless('logs', logParts(session))
	const collected = await collect(session, [...objectParts(session), ...(logs?.parts ?? [])])
	const all = [...missing, ...collected.missing]
	if (collected.files.length === 0) throw failure('NOT_WRITTEN', `nothing could be read, so no bundle was written: ${all[0]?.error}`)
	return { ...collected, missing: all, fleet, leftOut: logs?.leftOut ?? 0 }
}
