import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { sendCommand, Request } from '../../../lab/demo/control-socket.ts'

const request: Request = { action: 'reboot', node: 'node2', what: '' }

async function replies(sent: string): Promise<{ printed: string[]; end: Promise<void> }> {
	const server = createServer({ allowHalfOpen: true }, client => void client.end(sent)).listen(0, '127.0.0.1')
	await once(server, 'listening')
	const printed: string[] = []
	const end = sendCommand(connect((server.address() as { port: number }).port, '127.0.0.1'), request, line => printed.push(line))
	await end.catch(() => {})
	server.close()
	return { printed, end }
}

const lines = (...objects: object[]) => objects.map(object => `${JSON.stringify(object)}\n`).join('')

test('lines from the lab are printed in order, and the promise resolves at the end', async () => {
	const { printed, end } = await replies(lines({ line: 'one' }, { line: 'two\nlines' }, { done: true }))
	expect(printed).toEqual(['one', 'two\nlines'])
	await expect(end).resolves.toBeUndefined()
})

test('a failed request is thrown with the message of the lab', async () => {
	const { end } = await replies(lines({ line: 'one' }, { failed: 'there is no node9' }))
	await expect(end).rejects.toThrow('there is no node9')
})

test('a lab that ends during the request is reported as ended', async () => {
	const { printed, end } = await replies(lines({ line: 'one' }))
	expect(printed).toEqual(['one'])
	await expect(end).rejects.toThrow('the lab has ended')
})

test('a lab that ended before the request is reported as ended', async () => {
	await expect(sendCommand(connect('/nowhere/control.sock'), request, () => {})).rejects.toThrow('the lab has ended')
})

test.each([
	['an unknown action', { ...request, action: 'format' }],
	['a request without a node', { action: 'attach', what: '' }],
])('%s is not a valid request', (_, input) => {
	expect(Request.safeParse(input).success).toBe(false)
})
