import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { deliver } from '../../agent/report/deliver.ts'
import { parseSettings } from '../../agent/config.ts'
import { hostAt } from '../../agent/run/host.ts'
import { acquireLock } from '../../agent/host/run-lock.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { broken, type Fault } from './broken-host.ts'
import { askQuickly } from './quick-neighbours.ts'

/** Runs the agent repeatedly in one process, once per message; each reply contains the kernel state after the run. */
export type Asked = { wish: RunConfig; fault: Fault | undefined }
export type Answered = {
	report: AgentReport
	said: string
	/** `ip -j` output of links with addresses, routes of all tables, rules. */
	kernel: Record<'links' | 'routes' | 'rules', Record<string, unknown>[]>
	/** The number of open file descriptors of this process. */
	descriptors: number
	/** MiB after a full garbage collection: heap in use, and resident set size of the process. */
	memory: { heap: number; resident: number }
}

const settings = parseSettings(process.env)
const kinds = new Set(['hardware', 'veth'])
askQuickly()

process.on('message', async ({ wish, fault }: Asked) => {
	let said = ''
	const log = createLog('human', line => {
		said += line
	})
	const unlock = await acquireLock(settings.hostRoot, wish)
	const host = hostAt(settings.hostRoot)
	const report = await run(wish, fault ? broken(host, fault) : host, { log, kinds, apiServer: settings.apiServer })
	await deliver(report, wish.report, settings, log)
	unlock()
	const kernel = { links: ip('addr'), routes: ip('route show table all'), rules: ip('rule') }
	process.send?.({ report, said, kernel, descriptors: readdirSync('/proc/self/fd').length, memory: memory() } satisfies Answered)
})

function memory(): Answered['memory'] {
	globalThis.gc?.()
	const { heapUsed, rss } = process.memoryUsage()
	return { heap: heapUsed / 1_048_576, resident: rss / 1_048_576 }
}

function ip(args: string): Record<string, unknown>[] {
	return JSON.parse(execFileSync('ip', ['-j', ...args.split(' ')], { encoding: 'utf8' }))
}
