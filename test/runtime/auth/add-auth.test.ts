import { createHash } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { addAuth, requireAgain } from '../../../runtime/auth/add-auth.ts'
import { type Auth, createAuth, noAuth } from '../../../runtime/auth/auth.ts'
import { addHealth, createHttpServer } from '../../../runtime/http-server.ts'
import { createLog } from '../../../runtime/log.ts'
import { manualTime } from '../manual-time.ts'

const clients = ['a', 'b'].map(name => ({
	name,
	sha256: createHash('sha256').update(`token-${name}`).digest('hex'),
	may: 'read' as const,
	providers: ['biz'],
}))
const withClients = createAuth({ clients: () => clients })

function start(auth: Auth = withClients, time = manualTime()) {
	const lines: Record<string, unknown>[] = []
	const log = createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } })
	const app = createHttpServer({ log })
	addHealth(app, { ready: () => true })
	app.register(async api => {
		await addAuth(api, auth, { log, nowMs: time.now })
		api.all('/things', ({ caller }) => ({ name: caller.name, how: caller.how }))
	})
	onTestFinished(() => app.close())
	const send = async (token?: string, remoteAddress = '10.0.0.1') => {
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
		return app.inject({ url: '/things', headers, remoteAddress })
	}
	const statuses = async (count: number, ...from: Parameters<typeof send>) => {
		const found: Record<number, number> = {}
		for (let sent = 0; sent < count; sent++) {
			const { statusCode } = await send(...from)
			found[statusCode] = (found[statusCode] ?? 0) + 1
		}
		return found
	}
	return { app, lines, send, statuses, time }
}

test('a request has its caller, and a refused one names what the client must send', async () => {
	const { send } = start()
	expect((await send('token-a')).json()).toEqual({ name: 'a', how: 'clients file' })
	const refused = await send('wrong')
	expect([refused.statusCode, refused.headers['www-authenticate'], refused.json()]).toMatchObject([
		401,
		'Bearer',
		{ error: { code: 'TOKEN_REFUSED', requestId: expect.any(String) } },
	])
	expect((await start(noAuth).send()).json()).toEqual({ name: 'anonymous', how: 'none' })
})

test('a body of a client that is refused is not read', async () => {
	const { app } = start()
	const answer = await app.inject({ method: 'POST', url: '/things', headers: { 'content-type': 'application/json' }, payload: '{' })
	expect(answer.statusCode).toBe(401)
})

test('each client may send 100 requests in 2 s, and is then answered with 429 and Retry-After', async () => {
	const { send, statuses } = start()
	expect(await statuses(100, 'token-a')).toEqual({ 200: 100 })
	const refused = await send('token-a', '10.0.0.2')
	expect([refused.statusCode, refused.json()]).toMatchObject([429, { error: { code: 'RATE_LIMITED', requestId: expect.any(String) } }])
	expect(Number(refused.headers['retry-after'])).toBeOneOf([1, 2])
	expect((await send('token-b')).statusCode).toBe(200)
})

test('without authentication, each address has the limit', async () => {
	const { send, statuses } = start(noAuth)
	expect(await statuses(101, undefined, '10.0.0.1')).toEqual({ 200: 100, 429: 1 })
	expect((await send(undefined, '10.0.0.2')).statusCode).toBe(200)
})

test('an address that sends 100 invalid tokens in 2 s is limited, and others are not', async () => {
	const { send, statuses } = start()
	for (let sent = 0; sent <= 100; sent++) await send('wrong')
	expect(await statuses(1, 'wrong')).toEqual({ 429: 1 })
	expect((await send('token-a', '10.0.0.2')).statusCode).toBe(200)
})

test('a valid client is not limited because of invalid tokens from its address', async () => {
	const { send, statuses } = start()
	expect(await statuses(102, 'wrong')).toEqual({ 401: 100, 429: 2 })
	expect((await send('token-a')).statusCode).toBe(200)
})

test('the limit ends with its window, even if the clock of the machine is set back by an hour', async () => {
	const { send, statuses, time } = start()
	await statuses(100, 'token-a')
	const set = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000)
	onTestFinished(() => set.mockRestore())
	time.pass(500)
	const refused = await send('token-a')
	expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '2'])
	time.pass(1_500)
	expect((await send('token-a')).statusCode).toBe(200)
})

test('probes are neither authenticated nor limited', async () => {
	const { app } = start()
	const found = await Promise.all(Array.from({ length: 300 }, () => app.inject('/healthz')))
	expect(found.every(({ statusCode }) => statusCode === 200)).toBe(true)
})

test.each<[sentence: string, from: string, warnings: number]>([
	['another host', '10.0.0.9', 1],
	['this host', '127.0.0.1', 0],
	['this host over IPv6', '::1', 0],
	['this host in an IPv6 socket', '::ffff:127.0.0.1', 0],
])('a token over plain HTTP from %s: warned once, if at all', async (_, from, warnings) => {
	const { send, lines } = start()
	for (const token of [undefined, 'token-a', 'token-b']) await send(token, from)
	expect(lines.filter(({ msg }) => String(msg).includes('plain HTTP'))).toHaveLength(warnings)
	expect(JSON.stringify(lines)).not.toContain('token-a')
})

test('the client of a long response is authenticated again', async () => {
	let now = clients
	const auth = createAuth({ clients: () => now })
	const { app } = start(auth)
	const again = Promise.withResolvers<unknown>()
	app.addHook('onSend', async request => {
		await requireAgain(auth, request, 'read', 'biz')
		now = []
		again.resolve(await requireAgain(auth, request, 'read', 'biz').catch(error => error))
	})
	await app.inject({ url: '/things', headers: { authorization: 'Bearer token-a' } })
	expect(await again.promise).toMatchObject({ code: 'TOKEN_REFUSED' })
})
