import { randomBytes } from 'node:crypto'
import type { WriteStream } from 'node:tty'
import { codeOf } from '../runtime/errors.ts'
import { connect } from './read/connect.ts'
import { run } from './program.ts'
import { sentenceOf } from './render/failure.ts'
import { exitCodes, type Screen } from './model/io.ts'

/** The entry point of `kubectl multinic`. */
const interrupt = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(new Error(`${name} received`)))
process.stdout.on('error', error => endUnwritten(error, 'standard output'))
process.stderr.on('error', error => endUnwritten(error, 'standard error'))

// Node's own warnings, such as that its SOCKS proxy support is experimental, are not for users
if (!process.env.MULTINIC_DEBUG) process.removeAllListeners('warning')

const ended = run(process.argv.slice(2), {
	out: screenOf(process.stdout),
	err: screenOf(process.stderr),
	env: process.env,
	now: Date.now,
	fresh: () => `${new Date().toISOString()}-${randomBytes(4).toString('hex')}`,
	signal: interrupt.signal,
	connect: flags => connect(flags, process.env),
})
// no top-level await: the plugin is one CommonJS file
void ended.then(code => {
	process.exitCode = code
})

function screenOf(stream: WriteStream): Screen {
	return {
		write: text => void stream.write(text),
		isTerminal: stream.isTTY === true,
		// a pipe has no size, so these defaults apply
		size: () => ({ columns: stream.columns || 200, rows: stream.rows || 50 }),
	}
}

/** Ends the process if a stream cannot be written. EPIPE is a success: `… | head` has read enough. A full disk is an error. */
function endUnwritten(error: unknown, stream: string): never {
	if (codeOf(error) === 'EPIPE') process.exit(exitCodes.ok)
	if (stream === 'standard output') process.stderr.write(`error: ${stream} cannot be written: ${sentenceOf(error)}\n`)
	process.exit(exitCodes.notAsWanted)
}
