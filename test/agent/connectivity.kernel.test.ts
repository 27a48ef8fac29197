import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { comparable, hostWith, livingHost } from './simulated-host.ts'

/** A change cuts off a simulated API server with a real socket. The agent waits 5 s for each lost path. */
const mac = 'fa:16:3e:00:00:01'
const start = hostWith([{ ifindex: 3, name: 'ens7', mac }])
const lines: string[] = []
let server: Server
let port: number

beforeEach(async () => {
	lines.length = 0
	port = await open(0)
})
afterEach(() => close())

test('a lost path rolls back the run and is probed again', async () => {
	const { report, isArmed } = await runThat({ comesBack: true })
	expect(report).toMatchObject({ outcome: 'RolledBack', reason: 'ConnectivityLost', changes: 0 })
	expect(report.message).toBe('api unreachable after the change; everything was rolled back')
	expect(lines.map(line => line.replace(/ [\d.]+ ms/, ''))).toEqual(
		expect.arrayContaining(['probes after    api silent\n', 'probes undone   api\n']),
	)
	expect(isArmed).toBe(false)
})

test('a path that is still lost after the rollback is reported, and the rollback timer stays armed', async () => {
	const { report, isArmed } = await runThat({ comesBack: false })
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'ConnectivityLost' })
	expect(report.message).toMatch(/NOT rolled back: api does not answer$/)
	expect(isArmed).toBe(true)
})

async function runThat({ comesBack }: { comesBack: boolean }) {
	const { host, now } = livingHost(start)
	const cutting = {
		...host,
		apply: async (...args: Parameters<typeof host.apply>) => {
			await host.apply(...args)
			await close()
		},
		undo: async (...args: Parameters<typeof host.undo>) => {
			if (comesBack) await open(port)
			return host.undo(...args)
		},
	}
	const log = createLog('human', line => lines.push(line))
	const surrounding = { log, kinds: new Set(['hardware']), apiServer: { host: '127.0.0.1', port } }
	const report = await run(runConfig([{ id: 0, macAddress: mac, mtu: 1400 }]), cutting, surrounding)
	expect(comparable(now())).toEqual(comparable(start))
	return { report, isArmed: host.isArmed() }
}

function open(wanted: number): Promise<number> {
	server = createServer(socket => socket.destroy())
	return new Promise((resolve, reject) => {
		server.once('error', reject)
		server.listen(wanted, '127.0.0.1', () => {
			const address = server.address()
			resolve(typeof address === 'object' && address ? address.port : 0)
		})
	})
}

function close(): Promise<void> {
	return new Promise(resolve => server.close(() => resolve()))
}
