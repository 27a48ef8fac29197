import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { BenchHost } from './host.ts'

/** A program for Node. `nsenter` replaces itself with Node by exec, so the time and memory of its process are those of the program. */
type Program = { args: readonly string[]; env: Record<string, string> }

/** @returns the milliseconds from the start of a program on a host to its exit */
export function timeOf(host: BenchHost, program: Program): Promise<number> {
	return new Promise((resolve, reject) => {
		const began = performance.now()
		const child = start(host, program)
		child.once('error', reject)
		child.once('exit', () => resolve(performance.now() - began))
	})
}

/**
 * Returns the peak memory (VmHWM) of a program on a host, in MiB. Polling without pauses occupies a core, so do not use this for a timed
 * run.
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

/** @returns the peak memory of a process in KiB; undefined if it has exited, because a zombie has no memory. Each exec resets the peak. */
function held(pid: number | undefined): number | undefined {
	const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
	return kib === undefined ? undefined : Number(kib)
}

/** Starts a program with only the environment that a pod has, so that settings for Node on this machine do not affect the measurement. */
function start({ inside }: BenchHost, { args, env }: Program) {
	return spawn('nsenter', [...inside, process.execPath, ...args], {
		env: { PATH: process.env.PATH, ...env },
		stdio: ['ignore', 'ignore', 'inherit'],
	})
}
