import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Bool, Duration, ListenAddress, parseDuration, readEnv, Whole } from '../../runtime/env.ts'
import { isFailure } from '../../runtime/errors.ts'

describe('a duration in Go format', () => {
	test.each<[text: string, ms: number | undefined]>([
		['30s', 30_000],
		['5m', 300_000],
		['1h30m', 5_400_000],
		['1.5s', 1_500],
		['.5m', 30_000],
		['1500ms', 1_500],
		['2500us', 3],
		['2500µs', 3],
		['999999ns', 1],
		['0', 0],
		['0s', 0],
		['', undefined],
		['5', undefined],
		['-5m', undefined],
		['5 m', undefined],
		['5m3', undefined],
		['1d', undefined],
		['1e3s', undefined],
		['five', undefined],
		['99999999999999h', undefined],
	])('%j is parsed as %j ms', (text, ms) => {
		expect(parseDuration(text)).toBe(ms)
	})

	test('of whole hours, minutes and seconds is converted exactly', () => {
		const part = fc.nat({ max: 10_000 })
		fc.assert(
			fc.property(part, part, part, (h, m, s) => {
				expect(parseDuration(`${h}h${m}m${s}s`)).toBe((h * 3_600 + m * 60 + s) * 1_000)
			}),
		)
	})

	test('is a number or undefined for any text', () => {
		fc.assert(
			fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.hmsuµn -+e') }), text => {
				const ms = parseDuration(text)
				expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true)
			}),
		)
	})
})

const Config = z.object({
	VIOLA_URL: z.url({ error: 'must be a URL' }),
	POLL_INTERVAL: Duration.prefault('5m'),
	WORKERS: Whole.pipe(z.int().min(1).max(64)).prefault('4'),
	STRICT: Bool.default(true),
})

describe('the environment', () => {
	test('is read completely, with defaults for variables that are missing or empty', () => {
		const config = readEnv(Config, {
			VIOLA_URL: 'http://viola',
			POLL_INTERVAL: '',
			WORKERS: '8',
			STRICT: 'False',
			OTHER: 'x',
			GONE: undefined,
		})
		expect(config).toEqual({ VIOLA_URL: 'http://viola', POLL_INTERVAL: 300_000, WORKERS: 8, STRICT: false })
		expect(Object.isFrozen(config)).toBe(true)
	})

	test('reports all errors together, each with the name of its variable and without its value', () => {
		const env = { POLL_INTERVAL: 'hunter2', WORKERS: '65', STRICT: 'perhaps' }
		const failure = thrownBy(() => readEnv(Config, env))
		expect(isFailure(failure, 'CONFIG_INVALID') && failure.message.split('\n')).toEqual([
			'VIOLA_URL is required and not set',
			'POLL_INTERVAL: must be a duration such as 30s, 5m or 1h30m',
			expect.stringMatching(/^WORKERS: .*64/),
			'STRICT: must be true or false',
		])
		expect(String(failure)).not.toContain('hunter2')
	})

	test.each(['true', 'TRUE', '1', 't'])('%s is parsed as true', text => {
		expect(readEnv(z.object({ A: Bool }), { A: text })).toEqual({ A: true })
	})

	test.each(['-1', '1.5', '0x10', '1e3', ' 1', '9'.repeat(20)])('%j is not a whole number', text => {
		expect(() => readEnv(z.object({ A: Whole }), { A: text })).toThrow('A: must be a whole number')
	})

	test.each([
		[':8080', { host: '', port: 8080 }],
		['localhost:0', { host: 'localhost', port: 0 }],
		['[::1]:65535', { host: '::1', port: 65_535 }],
	])('%s is a listen address', (text, at) => {
		expect(readEnv(z.object({ A: ListenAddress }), { A: text })).toEqual({ A: at })
	})

	test.each([
		['8080', 'A: must be host:port or :port'],
		['a b:80', 'A: must be host:port or :port'],
		[':65536', 'A: must have a port of at most 65535'],
	])('%j is not a listen address', (text, words) => {
		expect(() => readEnv(z.object({ A: ListenAddress }), { A: text })).toThrow(words)
	})
})

function thrownBy(act: () => unknown): unknown {
	try {
		return act()
	} catch (error) {
		return error
	}
}
