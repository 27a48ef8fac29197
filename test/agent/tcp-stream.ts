import { connect, createServer } from 'node:net'

/**
 * A TCP stream that detects lost data: `serve` echoes what it receives, `send` sends increasing 32-bit numbers until it gets a message and
 * then reports what it received. A fourth argument is the source address.
 */
export type Streamed = { sent: number; received: number; inOrder: boolean }

const [, , role, host = '', port = '0', localAddress] = process.argv
const EVERY = 2
const NUMBERS = 512

if (role === 'serve') createServer(socket => socket.pipe(socket)).listen(Number(port), host, () => process.send?.('listens'))
else {
	const socket = connect({ port: Number(port), host, ...(localAddress !== undefined && { localAddress }) })
	let sent = 0
	let received = 0
	let inOrder = true
	let rest = Buffer.alloc(0)
	socket.on('data', chunk => {
		const bytes = Buffer.concat([rest, chunk])
		const whole = bytes.length - (bytes.length % 4)
		for (let at = 0; at < whole; at += 4) inOrder = bytes.readUInt32LE(at) === received++ && inOrder
		rest = bytes.subarray(whole)
	})
	const beat = setInterval(() => {
		const numbers = Buffer.alloc(4 * NUMBERS)
		for (let at = 0; at < numbers.length; at += 4) numbers.writeUInt32LE(sent++, at)
		socket.write(numbers)
	}, EVERY)
	socket.once('data', () => process.send?.('flows'))
	socket.once('end', () => process.send?.({ sent, received, inOrder } satisfies Streamed))
	process.once('message', () => {
		clearInterval(beat)
		socket.end()
	})
}
