import { spawn } from 'node:child_process'
import { isatty } from 'node:tty'
import { codeOf, Failure } from '../../errors.ts'
import type { Certificate, Credentials } from './credentials.ts'
import { type PluginCredential, readPluginAnswer } from './exec-answer.ts'
import type { Exec } from './schema.ts'

/** The input of a plugin. `cluster` has the form of `client.authentication.k8s.io`. */
export type ExecCall = { exec: Exec; user: string; cluster: object; env: Readonly<Record<string, string | undefined>> }

/**
 * Gets credentials from an exec plugin. The plugin runs immediately, again when its credentials have expired, and again when the server has
 * rejected them. Concurrent callers share one run, because the plugin may prompt the user. After a failure, the next caller runs it again.
 *
 * @param now milliseconds since 1970
 * @throws Failure SIGN_IN_FAILED with the plugin, how it ended, and its install hint if it could not be run; never with its output
 */
export async function execCredentials(
	call: ExecCall,
	now: () => number = Date.now,
): Promise<Pick<Credentials, 'tls' | 'certificate' | 'headers'>> {
	let current = await signIn(call)
	let running: Promise<PluginCredential> | undefined
	const renew = () => {
		running ??= signIn(call).finally(() => {
			running = undefined
		})
		return running
	}
	const certificate = () => certificateIn(current)
	return {
		tls: certificate() ?? {},
		certificate,
		headers: async refused => {
			if (refused || now() > (current.expires ?? Number.POSITIVE_INFINITY)) current = await renew()
			return current.token === undefined ? {} : { authorization: `Bearer ${current.token}` }
		},
	}
}

function certificateIn({ cert, key }: PluginCredential): Certificate | undefined {
	return cert !== undefined && key !== undefined ? { cert, key } : undefined
}

async function signIn(call: ExecCall): Promise<PluginCredential> {
	const { exec, user } = call
	const interactive = mayAsk(call)
	const spec = { ...(exec.provideClusterInfo && { cluster: call.cluster }), interactive }
	const answer = readPluginAnswer(await outputOf(call, spec), exec.apiVersion)
	if ('fault' in answer) throw failed(`${exec.command} (exec plugin of user ${user}) printed no valid credentials: ${answer.fault}`)
	return answer
}

/** Returns whether the plugin may prompt the user, which needs a terminal. */
function mayAsk({ exec: { interactiveMode, command }, user }: ExecCall): boolean {
	if (interactiveMode === 'Never') return false
	const isTerminal = isatty(0)
	if (interactiveMode !== 'Always' || isTerminal) return isTerminal
	throw failed(`${command} (exec plugin of user ${user}) needs a terminal (interactiveMode: Always)`)
}

/** Maximum size of the output, which is normally a few KiB. */
const mostBytes = 1_048_576

/** Runs the plugin and returns its output. The plugin inherits standard error, so that the user sees its messages. */
function outputOf({ exec, user, env }: ExecCall, spec: { interactive: boolean }): Promise<string> {
	const { apiVersion, command = '', args, installHint } = exec
	const more = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]))
	const info = JSON.stringify({ kind: 'ExecCredential', apiVersion, spec })
	return new Promise((resolve, reject) => {
		const stdin = spec.interactive ? 'inherit' : 'ignore'
		const child = spawn(command, args, { env: { ...env, ...more, KUBERNETES_EXEC_INFO: info }, stdio: [stdin, 'pipe', 'inherit'] })
		let output = ''
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			output += text
			if (output.length > mostBytes) child.kill()
		})
		child.on('error', cause => {
			const what = codeOf(cause) === 'ENOENT' ? 'was not found' : 'could not be run'
			reject(failed(`${command} (exec plugin of user ${user}) ${what}${installHint ? `. ${installHint}` : ''}`, cause))
		})
		child.on('close', (code, signal) => {
			if (code === 0) resolve(output)
			else reject(failed(`${command} (exec plugin of user ${user}) exited with ${code ?? signal}`))
		})
	})
}

function failed(message: string, cause?: unknown): Failure {
	return new Failure('SIGN_IN_FAILED', message, { retry: true, cause })
}
