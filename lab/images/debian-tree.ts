import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, fingerprint, makeOnce } from '../base/cache.ts'
import { contained } from '../base/contained.ts'
import type { Packages } from '../base/packages.ts'
import { step } from '../base/progress.ts'

const suite = 'bookworm'
const mirror = process.env.DEBIAN_MIRROR || 'http://deb.debian.org/debian'

/** Paths to remove: half of a small Debian, and not needed in a lab. */
const leftOut = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/locale']

/**
 * Returns the directory of a Debian 12 file system with these packages, from the cache or created by debootstrap (about a minute). Do not
 * change its content: copy it first.
 */
export async function debianTree(name: string, include: readonly string[], packages: Packages): Promise<string> {
	const path = cacheDir(`${name}-root-${fingerprint(suite, ...include, ...leftOut)}`)
	return makeOnce(path, draft => step(`Debian file system for ${name}`, report => debootstrap(draft, include, packages, report)))
}

async function debootstrap(draft: string, include: readonly string[], { env }: Packages, report: (how: string) => void): Promise<void> {
	const [debs, log] = [cacheDir('debs'), `${draft}.log`]
	await mkdir(debs, { recursive: true })
	const watching = setInterval(() => void lastStage(log).then(report), 1000)
	const options = ['--variant=minbase', `--cache-dir=${debs}`, `--include=${include.join(',')}`]
	const output = { stdout: { file: log }, stderr: { file: log } }
	await contained(['debootstrap', ...options, suite, draft, mirror], { env, ...output }).finally(() => clearInterval(watching))
	await contained(['rm', '-rf', ...leftOut.map(path => join(draft, path))])
}

/** Returns the current stage of debootstrap as its log names it: "unpacking", "configuring". */
async function lastStage(log: string): Promise<string> {
	const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n')
	return (
		lines
			.at(-1)
			?.match(/^I: (\w+)/)?.[1]
			?.toLowerCase() ?? ''
	)
}
