import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UNFIT } from '../../contract/clean.ts'
import { answering, putRunPod, startStage } from './cluster.ts'
import { command, config, failed } from './fixtures.ts'

/** Tests that a terminal displays all text from a cluster and interprets none of it. */
const lines = [
	'get',
	'get w',
	'get -o wide',
	'get -o json',
	'get w -o yaml',
	'history w',
	'history w -o json',
	'retry w',
	'pause w',
	'logs w',
]
const UNFIT_BUT_LINES = new RegExp(`(?!\\n)(?:${UNFIT.source.replace(/\+$/, '')})`, 'u')

/** Sequences that clear the screen, overwrite a line or reverse text, and half a character. */
const words = fc.array(
	fc.constantFrom('\u001b[2J', '\u009b31m', '\r', '\n', '\u0008', '\u202e', '\u2028', '\u200b', '\ud800', 'w', ' ', 'Configured'),
	{ minLength: 1, maxLength: 6 },
)

test('no command prints text that a terminal would interpret, from any field', async () => {
	const said = fc.record({ message: words, reason: words, job: words, backend: words, name: words })
	await fc.assert(
		fc.asyncProperty(said, fc.constantFrom(...lines), async (parts, line) => {
			const { message, reason, job, backend, name } = Object.fromEntries(
				Object.entries(parts).map(([part, found]) => [part, found.join('')]),
			) as Record<keyof typeof parts, string>
			const stage = await startStage()
			const { cluster, put } = stage
			stage.server.onRequest(({ path }) => (path.endsWith('/log') ? { fault: 'answer', status: 200, body: message } : undefined))
			putRunPod(stage, { node: 'w', name: 'run-1-a', status: { phase: 'Succeeded' } })
			const nic = { id: 0, name, macAddress: name, status: 'Failed' as const, reason, message }
			const history = [
				{
					generation: 3,
					job,
					started: '2026-03-01T11:59:00Z',
					seconds: 1,
					changes: 1,
					result: 'Failed',
					cause: reason,
					failureReason: reason,
				},
			]
			const status = { lastJobName: job, backend, interfaces: name, interfaceStatuses: [nic], history } as never
			put('w', { ...failed, message, reason }, { status })
			const { out, err } = await command(line, { cluster })
			expect({ out: UNFIT_BUT_LINES.exec(out), err: UNFIT_BUT_LINES.exec(err) }).toEqual({ out: null, err: null })
		}),
		{ numRuns: 300, interruptAfterTimeLimit: 10_000 }, // the first case starts a server, which may take longer than PROPERTY_MS
	)
})

test('no command that shows a report prints text that a terminal would interpret', async () => {
	await fc.assert(
		fc.asyncProperty(words, fc.constantFrom('diff', 'plan'), async (parts, line) => {
			const said = parts.join('')
			const stage = await startStage()
			stage.put('worker-1', failed, { status: { lastJobName: said } })
			const nic = { id: 0, name: said, macAddress: said, state: 'Failed', reason: 'Drifted', message: said, changes: 0, warnings: [] }
			const drift = [{ attribute: 'file', of: said, link: said, wanted: said, found: said }]
			const plan = {
				...{ commands: [said], links: { [said]: said }, disruption: { class: 'Blip', because: said } },
				files: [{ path: said, action: 'create', content: said }],
			}
			const report = {
				...{ nodeName: 'worker-1', uid: 'u', generation: 1, attempt: 2, version: 1, mode: line === 'diff' ? 'Verify' : 'Plan' },
				...{ outcome: 'Failed', reason: 'Drifted', message: said, changes: 0, milliseconds: {}, backend: said },
				...{ persistent: { status: 'Unknown', message: said }, started: '2026-03-01T12:00:00Z', finished: '2026-03-01T12:00:00Z' },
				...{ interfaces: [{ ...nic, drift }], drift, notes: [said], probes: { before: [], after: [] }, plan },
			}
			answering(stage, JSON.stringify(report))
			const { out, err } = await command(`${line} worker-1`, { cluster: stage.cluster })
			expect(out + err).not.toBe('')
			expect({ out: UNFIT_BUT_LINES.exec(out), err: UNFIT_BUT_LINES.exec(err) }).toEqual({ out: null, err: null })
		}),
		{ numRuns: 50 },
	)
})

test('JSON output preserves the original text', async () => {
	const { cluster, put } = await startStage()
	put('w', { ...failed, message: 'a\u009b2J\u202eb\n' })
	const { out } = await command('get w -o json', { cluster })
	expect(JSON.parse(out)).toMatchObject({ status: { conditions: [{ message: 'a\u009b2J\u202eb\n' }] } })
})

test('a view has one line per message', () => {
	expect(config('w', { ...failed, message: 'a\nb' }).status.conditions?.[0]?.message).toBe('a b')
})
