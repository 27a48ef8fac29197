import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { writeProgram } from '../base/program-file.ts'
import { type ActName, acts } from './actions.ts'
import type { Stage } from './demo.ts'

/** A request on the socket: one act. `what` is what some acts need in addition to a node. */
export const Request = z.object({
	act: z.enum(Object.keys(acts) as [ActName, ...ActName[]]),
	node: z.string(),
	what: z.string(),
})
export type Request = z.infer<typeof Request>

/** The replies, one line of JSON each: what happened, and finally whether it succeeded. */
export type Reply = { line: string } | { failed: string } | { done: true }

/**
 * Lets users act in the lab from another terminal: opens a unix socket in the lab's folder and writes the command `lab`, which uses it,
 * into a folder for PATH, which is returned. One act at a time: each checks all NICs of a node, and would find another act half done.
 */
export async function openDoor(stage: Stage): Promise<string> {
	const socket = join(stage.lab.dir, 'door.sock')
	let last: Promise<void> = Promise.resolve()
	const server = createServer({ allowHalfOpen: true }, visitor => {
		last = last.then(() => answer(stage, visitor))
	})
	server.unref().listen(socket)
	await once(server, 'listening')
	const bin = join(stage.lab.dir, 'bin')
	await writeProgram(join(bin, 'lab'), [process.execPath, join(import.meta.dirname, 'lab-command.ts'), socket])
	return bin
}

async function answer(stage: Stage, visitor: Socket): Promise<void> {
	visitor.on('error', () => {}) // a client that has disconnected needs no answer; the act continues
	const reply = (what: Reply) => void visitor.write(`${JSON.stringify(what)}\n`)
	try {
		const { act, node, what } = Request.parse(JSON.parse(await text(visitor)))
		await acts[act](stage, line => reply({ line }), node, what)
		reply({ done: true })
	} catch (error) {
		reply({ failed: error instanceof Error ? error.message : String(error) })
	}
	visitor.end()
}

/** Sends a request to the socket, reports what happens, and throws what went wrong. */
export async function knock(socket: Socket, request: Request, tell: (line: string) => void): Promise<void> {
	socket.end(JSON.stringify(request))
	for await (const line of linesOf(socket)) {
		const reply = JSON.parse(line) as Reply
		if ('line' in reply) tell(reply.line)
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
