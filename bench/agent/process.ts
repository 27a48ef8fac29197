import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { BenchHost } from './host.ts'

/** `nsenter` becomes the program, so its time and its memory are the program's. */
type Program = { args: readonly string[]; env: Record<string, string> }

/** @returns milliseconds from the start of a program on a host to its end */
export function timeOf(host: BenchHost, program: Program): Promise<number> {
	return new Promise((resolve, reject) => {
		const began = performance.now()
		const child = start(host, program)
		child.once('error', reject)
		child.once('exit', () => resolve(performance.now() - began))
	})
}

/**
 * Returns the peak memory (VmHWM) of a program on a host, in MiB. It polls without a pause, which takes a core: not for a run that is
 * timed.
 */
export async function peakOf(host: BenchHost, program: Program): Promise<number> {
	const child = start(host, program)
	const ended = new Promise(resolve => child.once('exit', resolve))
	let kib = 0
	for (;;) {
		const now = held(child.pid)
		if (now === undefined) break
		kib = now
	}
	await ended
	return kib / 1_024
}

/** @returns undefined when it has ended: a zombie has no memory any more. Each exec starts at zero. */
function held(pid: number | undefined): number | undefined {
	const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
	return kib === undefined ? undefined : Number(kib)
}

/** Starts a program with no more in its environment than a pod has: what is set on this machine for Node would be measured too. */
function start({ inside }: BenchHost, { args, env }: Program) {
	return spawn('nsenter', [...inside, process.execPath, ...args], {
		env: { PATH: process.env.PATH, ...env },
		stdio: ['ignore', 'ignore', 'inherit'],
	})
}
