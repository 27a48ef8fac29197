import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * The baseline of a kernel change: runs one `ip -batch` with the lines on stdin, started in the same way as by the agent. Prints
 * milliseconds.
 */
const lines = readFileSync(0)
const began = performance.now()
const child = execFile('ip', ['-batch', '-'], error => {
	if (error) throw error
})
child.once('exit', () => process.stdout.write(`${performance.now() - began}`))
child.stdin?.end(lines)
