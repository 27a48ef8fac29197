import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { type MainProcess, type MainProcessSettings, sockets } from './main-process.ts'
import { until } from '../base/daemon.ts'
import { rpcClient, isServed } from './rpc.ts'

/** The namespaces of a lab, and the main process that runs in them. */
export interface Namespace {
	readonly mainProcess: MainProcess
	/** Resolves when the main process has ended, with the end of its log. */
	readonly ended: Promise<string>
	stop(): Promise<void>
}

/**
 * Starts the lab's main process in its own network, mount and PID namespaces. The kernel guarantees that nothing outlives the current
 * process. When it exits, `setpriv --pdeathsig` makes the kernel kill unshare, and `--kill-child` then kills unshare's child. That child is
 * PID 1 of the PID namespace, so all processes in the namespace end with it.
 */
export async function startNamespace(settings: MainProcessSettings): Promise<Namespace> {
	const { dir } = settings
	const log = openSync(join(dir, 'lab.log'), 'a')
	const unshare = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', '--']
	const argv = [process.execPath, join(import.meta.dirname, 'main-process.ts'), JSON.stringify(settings)]
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...unshare, ...argv], {
		stdio: ['pipe', log, log],
		detached: true, // Ctrl-C must reach only the process that started the lab, which then stops it
	})
	closeSync(log)
	const exited = new Promise<void>(resolve => child.once('exit', () => resolve()).once('error', () => resolve()))
	const ended = exited.then(async () => `the lab's main process ended:\n${await tail(join(dir, 'lab.log'))}`)
	endOnPendingSignal(child, exited)
	const socket = join(dir, sockets.calls)
	await until('the lab responds', () => isServed(socket), { ended: [ended], everyMs: 20 })
	const stop = async () => {
		child.kill('SIGKILL')
		await exited
	}
	return { mainProcess: rpcClient<MainProcess>(socket), ended, stop }
}

/**
 * unshare blocks SIGINT and SIGTERM while it waits for its child, so they would stay pending forever. This polls for a pending signal, and
 * kills unshare if there is one.
 */
function endOnPendingSignal(child: ChildProcess, exited: Promise<void>): void {
	const poll = setInterval(async () => {
		const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
		if (hasPendingSignal(status)) child.kill('SIGKILL')
	}, 500)
	poll.unref()
	void exited.then(() => clearInterval(poll))
}

/** Reports whether SIGINT or SIGTERM is pending according to /proc/PID/status. */
export function hasPendingSignal(status: string): boolean {
	const pending = BigInt(`0x${status.match(/^ShdPnd:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`)
	return [constants.signals.SIGINT, constants.signals.SIGTERM].some(signal => (pending & (1n << BigInt(signal - 1))) !== 0n)
}

async function tail(path: string): Promise<string> {
	const text = await readFile(path, 'utf8').catch(() => '')
	return text.trimEnd().split('\n').slice(-15).join('\n')
}
