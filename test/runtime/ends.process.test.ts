import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

type Ended = { code: number | null; lines: Record<string, unknown>[] }

/** Runs room.ts. If a signal is given, sends it as soon as the process reports that it is ready. */
async function run(how: string, env: Record<string, string> = {}, signal?: NodeJS.Signals): Promise<Ended> {
	const child = spawn(process.execPath, [join(import.meta.dirname, 'process/room.ts'), how], { env: { PATH: '', ...env } })
	let text = ''
	let sent = false
	child.stdout.on('data', chunk => {
		text += chunk
		if (!signal || sent || !text.includes('"ready"')) return
		// sent only once: a second signal would end the process immediately
		sent = child.kill(signal)
	})
	child.stderr.on('data', chunk => {
		text += chunk
	})
	const [code] = (await once(child, 'close')) as [number | null]
	return {
		code,
		lines: text
			.split('\n')
			.filter(Boolean)
			.map(line => JSON.parse(line)),
	}
}

test.each<[title: string, how: string, code: number, last: object]>([
	['that returns exits with 0', 'returns', 0, { level: 'info', msg: 'stopped' }],
	[
		'whose configuration is invalid exits with 2',
		'misconfigured',
		2,
		{ level: 'fatal', err: { type: 'CONFIG_INVALID', message: 'PORT is required and not set' } },
	],
	['that throws exits with 1', 'throws', 1, { level: 'fatal', err: { message: 'no such thing' } }],
	['with an unhandled rejection exits with 1', 'rejects', 1, { level: 'fatal', err: { message: 'nobody looked' } }],
])('a process %s', async (_, how, code, last) => {
	const ended = await run(how)
	expect([ended.code, ended.lines.at(-1)]).toMatchObject([code, last])
})

test.each(['SIGTERM', 'SIGINT'] as const)('a process that receives %s shuts down gracefully', async signal => {
	const { code, lines } = await run('serves', {}, signal)
	expect(code).toBe(0)
	expect(lines.map(line => line.msg)).toEqual(['ready', 'stopping', 'stopped'])
})

test('a process logs only messages of LOG_LEVEL and above, and rejects an invalid level', async () => {
	expect((await run('returns', { LOG_LEVEL: 'error' })).lines).toEqual([])
	const { code, lines } = await run('returns', { LOG_LEVEL: 'loud' })
	expect([code, lines[0]]).toMatchObject([2, { err: { message: expect.stringContaining('LOG_LEVEL: ') } }])
})
