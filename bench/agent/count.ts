import { subscribe } from 'node:diagnostics_channel'
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/**
 * Preloaded into the agent (`--import`): writes the processes that the agent started, and how long each of them ran, to the file COUNTED.
 */
export type Started = { command: string; milliseconds: number }

const started: Started[] = []
subscribe('child_process', message => {
	const { process: child } = message as { process: ChildProcess }
	const began = performance.now()
	const one: Started = { command: '', milliseconds: Number.NaN }
	started.push(one)
	child.prependOnceListener('spawn', () => {
		one.command = child.spawnargs.join(' ')
	})
	child.prependOnceListener('exit', () => {
		one.milliseconds = performance.now() - began
	})
})
process.once('exit', () => writeFileSync(process.env.COUNTED ?? '', JSON.stringify(started)))
