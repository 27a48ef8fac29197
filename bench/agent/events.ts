import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchHost } from './host.ts'

const kinds = ['link', 'address', 'route', 'rule', 'neigh']
/** How long there must be no events (milliseconds), because the kernel still reports addresses that it has just verified. */
const QUIET = 1_200

/**
 * Records the kernel's events about links, addresses, routes, rules and neighbors while `work` runs: every change to these causes an event.
 * Events about neighbors that the kernel adds automatically are ignored, because they change no configuration. An address is added to `lo`
 * before and after the work, to be sure that all events are recorded.
 *
 * @returns the events, in the format of `ip monitor`
 */
export async function eventsDuring(host: BenchHost, work: () => Promise<unknown>): Promise<string[]> {
	const monitor = spawn('nsenter', [...host.inside, 'ip', '-o', 'monitor', ...kinds], { stdio: ['ignore', 'pipe', 'inherit'] })
	const heard: string[] = []
	monitor.stdout.setEncoding('utf8').on('data', (text: string) => heard.push(...text.split('\n').filter(Boolean)))
	try {
		await mark('192.0.2.1', host, heard)
		await untilQuiet(heard)
		const before = heard.length
		await work()
		await mark('192.0.2.2', host, heard)
		return heard.slice(before).filter(line => !line.includes('192.0.2.2') && !isLearnt(line))
	} finally {
		await end(monitor)
	}
}

function isLearnt(line: string): boolean {
	return /\b(REACHABLE|STALE|DELAY|PROBE|INCOMPLETE|FAILED)\b/.test(line)
}

/** Adds and deletes the address in turn until the monitor reports it, because the monitor may not be listening yet. */
async function mark(address: string, { inside }: BenchHost, heard: readonly string[]): Promise<void> {
	for (let tries = 0; tries < 50; tries++) {
		execFileSync('nsenter', [...inside, 'ip', 'addr', tries % 2 ? 'del' : 'add', `${address}/32`, 'dev', 'lo'])
		await sleep(50)
		if (heard.some(line => line.includes(address))) return
	}
	throw new Error('bench agent: ip monitor reports nothing')
}

async function untilQuiet(heard: readonly string[]): Promise<void> {
	for (let seen = -1; seen < heard.length; ) {
		seen = heard.length
		await sleep(QUIET)
	}
}

async function end(monitor: ChildProcess): Promise<void> {
	const ended = new Promise(resolve => monitor.once('exit', resolve))
	monitor.kill('SIGTERM')
	await ended
}
