import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { writeProgram } from '../base/program-file.ts'
import { type ActionName, actions } from './actions.ts'
import type { Demo } from './demo.ts'

/** A request for one action. `what` is an additional argument that some actions need. */
export const Request = z.object({
	action: z.enum(Object.keys(actions) as [ActionName, ...ActionName[]]),
	node: z.string(),
	what: z.string(),
})
export type Request = z.infer<typeof Request>

/** The replies, each a line of JSON: progress lines, then success or failure. */
export type Reply = { line: string } | { failed: string } | { done: true }

/**
 * Allows users to change the lab from another terminal: opens a Unix socket in the lab's directory, writes the command `lab`, which
 * connects to it, and returns the directory of that command, for PATH. Actions run one at a time, because each checks all NICs of a node
 * and would see another action half done.
 */
export async function startControlSocket(demo: Demo): Promise<string> {
	const socket = join(demo.lab.dir, 'control.sock')
	let last: Promise<void> = Promise.resolve()
	const server = createServer({ allowHalfOpen: true }, client => {
		last = last.then(() => handle(demo, client))
	})
	server.unref().listen(socket)
	await once(server, 'listening')
	const bin = join(demo.lab.dir, 'bin')
	await writeProgram(join(bin, 'lab'), [process.execPath, join(import.meta.dirname, 'lab-command.ts'), socket])
	return bin
}

async function handle(demo: Demo, client: Socket): Promise<void> {
	client.on('error', () => {}) // a client that has disconnected needs no reply; the action continues
	const reply = (what: Reply) => void client.write(`${JSON.stringify(what)}\n`)
	try {
		const { action, node, what } = Request.parse(JSON.parse(await text(client)))
		await actions[action](demo, line => reply({ line }), node, what)
		reply({ done: true })
	} catch (error) {
		reply({ failed: error instanceof Error ? error.message : String(error) })
	}
	client.end()
}

/** Sends a request to the socket and prints the progress. Throws if the action fails or the lab ends. */
export async function sendCommand(socket: Socket, request: Request, print: (line: string) => void): Promise<void> {
	socket.end(JSON.stringify(request))
	for await (const line of linesOf(socket)) {
		const reply = JSON.parse(line) as Reply
		if ('line' in reply) print(reply.line)
		if ('failed' in reply) throw new Error(reply.failed)
		if ('done' in reply) return
	}
	throw new Error('the lab has ended')
}

async function* linesOf(socket: Socket): AsyncGenerator<string> {
	try {
		yield* createInterface(socket)
	} catch (error) {
		throw new Error('the lab has ended', { cause: error })
	}
}
