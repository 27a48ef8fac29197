import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import * as z from 'zod'
import { type Figure, figure, type Log } from './figure.ts'

/** The measured fields of the last line of `npm start -- --once --json`. Times are in seconds. */
const Line = z.object({
	state: z.literal('Configured'),
	rebootKept: z.literal(true),
	seconds: z.object({ setup: z.number(), up: z.number(), portToConfigured: z.number(), reboot: z.number() }),
	milestones: z.record(z.string(), z.number()),
})

/** Where a command runs: the directory of a checkout, and the environment. */
type Place = { cwd: string; env: Record<string, string> }

const checkout = join(import.meta.dirname, '..')
const minutes = 60

/**
 * Measures the README's two commands as a user runs them, in wall-clock time: `npm start` in this checkout, with its caches; with `long`
 * also `npm test`, and both in a new clone with empty caches. The clone does not contain uncommitted changes.
 */
export async function figures(log: Log, { long }: { long: boolean }): Promise<Figure[]> {
	const here = { cwd: checkout, env: {} }
	const all = await start(here, 'warm', 90, log)
	if (!long) return all
	all.push(await test(here, 'warm', 25 * minutes, log))
	all.push(...(await inNewClone(place => start(place, 'cold', 15 * minutes, log))))
	all.push(await inNewClone(place => test(place, 'cold', 45 * minutes, log)))
	return all
}

async function start(place: Place, how: 'warm' | 'cold', atMost: number, log: Log): Promise<Figure[]> {
	log(`npm start, ${how}`)
	const began = Date.now()
	await npm(place, 'start', '--', '--help')
	const prelude = (Date.now() - began) / 1000
	const { stdout } = await npm(place, 'start', '--', '--once', '--json')
	const last = stdout.trim().split('\n').at(-1) ?? ''
	log(`npm start, ${how}, after ${prelude.toFixed(1)} s: ${last}`)
	const { seconds, milestones } = Line.parse(JSON.parse(last))
	const { setup, up, portToConfigured, reboot } = seconds
	const told = (name: string, value: number) => figure({ name: `${name}, ${how}`, value, unit: 's' })
	return [
		figure({ name: `npm start until Configured, ${how}`, value: prelude + setup + up + portToConfigured, unit: 's', atMost }),
		figure({ name: `port until Configured, ${how}`, value: portToConfigured, unit: 's', ...(how === 'warm' && { atMost: 30 }) }),
		...Object.entries(milestones).map(([milestone, value]) => told(`  of that, to ${milestone}`, value)),
		told('reboot', reboot),
	]
}

async function test(place: Place, how: 'warm' | 'cold', atMost: number, log: Log): Promise<Figure> {
	log(`npm test, ${how}`)
	const began = Date.now()
	const { stdout } = await npm(place, 'test')
	log(`npm test, ${how}, after ${((Date.now() - began) / 1000).toFixed(0)} s: ${stdout.trim().split('\n').at(-1)}`)
	return figure({ name: `npm test, ${how}`, value: (Date.now() - began) / 1000, unit: 's', atMost })
}

/** Runs npm and passes its stderr through. If npm fails, throws an error with the end of its stdout. */
async function npm({ cwd, env }: Place, ...args: string[]) {
	const { stdout, exitCode } = await execa('npm', args, { cwd, env, reject: false, stderr: 'inherit' })
	if (exitCode === 0) return { stdout }
	throw new Error(`npm ${args.join(' ')} in ${cwd} exited with ${exitCode}:\n${stdout.trim().split('\n').slice(-20).join('\n')}`)
}

/** Clones the committed state, with empty caches for the lab, Go and npm. */
async function inNewClone<T>(work: (place: Place) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), 'multinic-cold-'))
	const cwd = join(folder, 'multinic')
	const env = {
		XDG_CACHE_HOME: join(folder, 'cache'),
		GOPATH: join(folder, 'go'),
		GOMODCACHE: join(folder, 'go/pkg/mod'),
		GOCACHE: join(folder, 'go-build'),
		npm_config_cache: join(folder, 'npm'),
		KUBEBUILDER_ASSETS: '',
	}
	try {
		await execa('git', ['clone', '--quiet', checkout, cwd])
		return await work({ cwd, env })
	} finally {
		await execa('chmod', ['-R', 'u+w', folder]) // Go's modules are read-only
		await rm(folder, { recursive: true, force: true })
	}
}
