import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type Inside, type InsideSettings, sockets } from './main-process.ts'
import { until } from '../base/daemon.ts'
import { caller, isServed } from './rpc.ts'

/** The namespaces in which a lab runs, and its main process in them. */
export interface Namespace {
	readonly inside: Inside
	/** Resolves when its main process ended, with the end of its log. */
	readonly ended: Promise<string>
	stop(): Promise<void>
}

/**
 * Starts the lab's main process in separate network, mount and process namespaces. The kernel enforces the chain: `setpriv` has unshare
 * killed when this process is gone, unshare kills its child, and with that child, the first of its process namespace, all processes end.
 */
export async function startNamespace(settings: InsideSettings): Promise<Namespace> {
	const { dir } = settings
	const log = openSync(join(dir, 'lab.log'), 'a')
	const walls = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--']
	const argv = [process.execPath, join(import.meta.dirname, 'main-process.ts'), JSON.stringify(settings)]
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...walls, ...argv], {
		stdio: ['pipe', log, log],
		detached: true, // Ctrl-C is for the process that started the lab, which then stops it
	})
	closeSync(log)
	const over = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
	const ended = over.then(async () => `the lab's main process ended:\n${await tail(join(dir, 'lab.log'))}`)
	endWhenAsked(child, over)
	const socket = join(dir, sockets.calls)
	await until('the lab answers', () => isServed(socket), { ended: [ended], everyMs: 20 })
	const stop = async () => {
		child.kill('SIGKILL')
		await over
	}
	return { inside: caller<Inside>(socket), ended, stop }
}

/**
 * unshare blocks SIGINT and SIGTERM while it waits for its child, so such a signal stays pending forever. This polls for a pending signal,
 * and kills unshare then.
 */
function endWhenAsked(child: ChildProcess, over: Promise<void>): void {
	const look = setInterval(async () => {
		const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
		if (isAskedToEnd(status)) child.kill('SIGKILL')
	}, 500)
	look.unref()
	void over.then(() => clearInterval(look))
}

/** Reports whether SIGINT or SIGTERM is pending according to /proc/PID/status. */
export function isAskedToEnd(status: string): boolean {
	const pending = BigInt(`0x${status.match(/^ShdPnd:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`)
	return [constants.signals.SIGINT, constants.signals.SIGTERM].some(signal => (pending & (1n << BigInt(signal - 1))) !== 0n)
}

async function tail(path: string): Promise<string> {
	const text = await readFile(path, 'utf8').catch(() => '')
	return text.trimEnd().split('\n').slice(-15).join('\n')
}
