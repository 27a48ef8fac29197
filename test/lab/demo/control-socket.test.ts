import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { knock, Request } from '../../../lab/demo/control-socket.ts'

const request: Request = { act: 'reboot', node: 'node2', what: '' }

async function replies(sent: string): Promise<{ told: string[]; end: Promise<void> }> {
	const server = createServer({ allowHalfOpen: true }, visitor => void visitor.end(sent)).listen(0, '127.0.0.1')
	await once(server, 'listening')
	const told: string[] = []
	const end = knock(connect((server.address() as { port: number }).port, '127.0.0.1'), request, line => told.push(line))
	await end.catch(() => {})
	server.close()
	return { told, end }
}

const lines = (...objects: object[]) => objects.map(object => `${JSON.stringify(object)}\n`).join('')

test('lines of the lab are printed in order, and the end resolves', async () => {
	const { told, end } = await replies(lines({ line: 'one' }, { line: 'two\nlines' }, { done: true }))
	expect(told).toEqual(['one', 'two\nlines'])
	await expect(end).resolves.toBeUndefined()
})

test('a failure is thrown with the message of the lab', async () => {
	const { end } = await replies(lines({ line: 'one' }, { failed: 'node9 is nobody' }))
	await expect(end).rejects.toThrow('node9 is nobody')
})

test('a lab that ends during the request is reported as ended', async () => {
	const { told, end } = await replies(lines({ line: 'one' }))
	expect(told).toEqual(['one'])
	await expect(end).rejects.toThrow('the lab has ended')
})

test('a lab that ended before the request is reported as ended', async () => {
	await expect(knock(connect('/nowhere/door.sock'), request, () => {})).rejects.toThrow('the lab has ended')
})

test.each([
	['an act nobody knows', { ...request, act: 'format' }],
	['no node', { act: 'attach', what: '' }],
])('%s is not a valid request', (_, input) => {
	expect(Request.safeParse(input).success).toBe(false)
})
