import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Probe } from '../contract/agent-run.ts'
import { exec } from './host/exec.ts'
import type { HostState } from './host/state.ts'
import { bestDefault } from './preflight.ts'

export type Target = { name: string; ask(): Promise<boolean> }

/** The node's own paths: the API server, and the gateways of its default routes. */
export function targetsOf(host: HostState, apiServer: { host: string; port: number } | undefined): Target[] {
	const api: Target[] = apiServer ? [{ name: 'api', ask: () => tcp(apiServer.host, apiServer.port) }] : []
	const gateways = ([4, 6] as const).flatMap(family => {
		const { via, link } = bestDefault(host.routes, family) ?? {}
		return via === undefined || link === undefined ? [] : [{ name: family === 4 ? 'gateway' : 'gateway6', ask: () => neighbour(via, link) }]
	})
	return [...api, ...gateways]
}

/**
 * Asks every target until it answers, at most `patienceMs` milliseconds: a path may need a moment after a change.
 *
 * @returns one probe a target; a silent one is not ok
 */
export function probe(targets: readonly Target[], patienceMs: number): Promise<Probe[]> {
	return Promise.all(targets.map(target => probeOne(target, patienceMs)))
}

/** @returns the targets that answered before and no longer do */
export function lostPaths(before: readonly Probe[], after: readonly Probe[]): string[] {
	const silent = new Set(after.filter(({ ok }) => !ok).map(({ name }) => name))
	return before.filter(({ name, ok }) => ok && silent.has(name)).map(({ name }) => name)
}

async function probeOne({ name, ask }: Target, patienceMs: number): Promise<Probe> {
	const started = performance.now()
	for (;;) {
		const asked = performance.now()
		if (await ask()) return { name, ok: true, milliseconds: round(performance.now() - asked) }
		if (performance.now() - started > patienceMs)
			return { name, ok: false, milliseconds: round(performance.now() - started), message: 'no answer' }
		await new Promise(resolve => setTimeout(resolve, 200))
	}
}

function tcp(host: string, port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect({ host, port, timeout: 2_000 })
		const end = (ok: boolean) => {
			socket.destroy()
			resolve(ok)
		}
		socket.once('connect', () => end(true))
		socket.once('timeout', () => end(false))
		socket.once('error', () => end(false))
	})
}

/** A datagram to the discard port makes the kernel look for the gateway; whether it was found stands in the neighbour table. */
async function neighbour(ip: string, link: number): Promise<boolean> {
	await poke(ip, link)
	const { stdout } = await exec('ip', ['-j', 'neigh', 'show', ip, 'dev', `if${link}`])
	return /"lladdr"/.test(stdout) && !/"(FAILED|INCOMPLETE)"/.test(stdout)
}

function poke(ip: string, link: number): Promise<void> {
	return new Promise(resolve => {
		const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
		socket.on('error', () => {}) // The callback tells as well; what counts is the neighbour table.
		socket.send('', 9, ip.startsWith('fe80:') ? `${ip}%${link}` : ip, () => {
			socket.close()
			setTimeout(resolve, 20)
		})
	})
}

function round(milliseconds: number): number {
	return Math.round(milliseconds * 10) / 10
}
