import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { NodeConfig } from '../../../cli/model/kinds.ts'
import type { Screen } from '../../../cli/model/io.ts'
import { clusterOf, namespace, type Stage, startStage } from '../cluster.ts'
import { command, configured, failed, running, waiting } from '../fixtures.ts'

/** Tests the output of `get -w` while a fleet changes. */

/** Returns a screen that calls `act` on each write and records all writes. */
function screen(isTerminal: boolean, act: (writes: string[]) => void): Screen & { writes: string[] } {
	const writes: string[] = []
	return {
		writes,
		isTerminal,
		size: () => ({ columns: 80, rows: 24 }),
		write(text) {
			writes.push(text)
			act(writes)
		},
	}
}

function settle({ server }: Stage, name: string): void {
	const conditions = [
		{ type: 'Ready', status: 'True', reason: 'AllInterfacesConfigured', message: '', lastTransitionTime: '2026-03-01T12:00:00Z' },
	]
	server.objects.patchStatus(NodeConfig, { namespace, name }, { state: 'Configured', interfaces: '1/1', conditions })
}

describe('on a terminal', () => {
	test('prints a frame of 1,000 nodes that fits, and then only changes', async () => {
		const stage = await startStage()
		for (let at = 0; at < 1_000; at++) stage.put(`w-${String(at).padStart(3, '0')}`, at === 0 ? running : at < 400 ? configured : waiting)
		const stop = new AbortController()
		const out = screen(true, writes => {
			if (writes.length === 1) settle(stage, 'w-000')
			else stop.abort()
		})
		expect((await command('get -w', { cluster: stage.cluster, signal: stop.signal, out })).code).toBe(130)
		const [first = '', second = ''] = out.writes
		const lines = stripVTControlCharacters(first)
			.split('\n')
			.map(line => line.trim())
		expect(lines).toHaveLength(24)
		expect(lines[1]).toBe('1000 nodes: 399 Configured, 1 InProgress, 600 Pending')
		expect(lines[22]).toMatch(/^… and \d+ more$/)
		expect(lines.every(line => line.length <= 80)).toBe(true)
		expect(stripVTControlCharacters(second)).toContain('1000 nodes: 400 Configured, 600 Pending')
		expect(second.length).toBeLessThan(first.length + 300)
	})

	test('prints the page of one node', async () => {
		const stage = await startStage()
		stage.put('worker-1', running)
		const stop = new AbortController()
		const out = screen(true, writes => {
			if (writes.length === 1) settle(stage, 'worker-1')
			else stop.abort()
		})
		await command('get -w worker-1', { cluster: stage.cluster, signal: stop.signal, out })
		expect(stripVTControlCharacters(out.writes[0] ?? '')).toContain('worker-1   InProgress')
		expect(stripVTControlCharacters(out.writes[1] ?? '')).toContain('Nothing. The node matches its node config.')
	})

	test('prints below the frame that the output may be stale, and continues automatically', async () => {
		const stage = await startStage()
		stage.put('worker-1', running)
		const stop = new AbortController()
		let isBack = false
		const out = screen(true, writes => {
			const shown = stripVTControlCharacters(writes.join(''))
			if (writes.length === 1) void stage.server.down()
			if (!isBack && shown.includes('the output may be stale')) {
				isBack = true
				settle(stage, 'worker-1')
				void stage.server.up()
			}
			if (shown.includes('Configured')) stop.abort()
		})
		const { code, err } = await command('get -w', { cluster: stage.cluster, signal: stop.signal, out })
		expect({ code, err }).toEqual({ code: 130, err: '' })
	})
})

describe('without a terminal', () => {
	test('prints a problem once, on standard error', async () => {
		const stage = await startStage()
		stage.put('worker-1', failed)
		const stop = new AbortController()
		const out = screen(false, writes => {
			if (writes.join('').includes('worker-1 ')) void stage.server.down()
		})
		const err = screen(false, () => stop.abort())
		await command('get -w', { cluster: stage.cluster, signal: stop.signal, out, err })
		expect(err.writes.join('')).toMatch(/^warning: the output may be stale: [^\n]+\n$/)
		await stage.server.up()
	})

	test('exits on the same errors as get', async () => {
		const { server } = await startStage()
		const { code, err } = await command('get -w', { cluster: clusterOf(server.credentialsOf('nobody')) })
		expect({ code, err: err.slice(0, 25) }).toEqual({ code: 1, err: 'error: user nobody cannot' })
	})

	test('watches without the rollout settings if the user may not read them', async () => {
		const { server, put } = await startStage({ allows: (_, { plural }) => plural === 'multinicnodeconfigs' })
		put('worker-1', waiting)
		const stop = new AbortController()
		const out = screen(false, () => stop.abort())
		const { code, err } = await command('get -w', { cluster: clusterOf(server.credentialsOf('narrow')), signal: stop.signal, out })
		expect({ code, err }).toEqual({ code: 130, err: '' })
		expect(out.writes.join('')).toContain('queued: The wave is full\n')
	})
})
