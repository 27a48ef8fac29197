import { join } from 'node:path'
import { execa } from 'execa'
import type { Identity } from './identity.ts'

/** The output and exit code of a command on a node. The exit code is 255 if the node could not be reached or the command timed out. */
export interface CommandResult {
	stdout: string
	stderr: string
	exitCode: number
}

/** How a command is run on a node. */
export interface RunOptions {
	/** Local file to use as the command's stdin. */
	inputFile?: string
	/** Default: 60 000. */
	timeoutMs?: number
}

/** Runs commands on the nodes as root, over SSH. The connection stays open, so that the next command takes only 0.15 s. */
export interface Shell {
	/** Public key for the nodes' authorized_keys. */
	readonly publicKey: string
	/** Does not throw if the command fails: check `exitCode`. */
	run(node: Identity, command: string, options?: RunOptions): Promise<CommandResult>
	/** Closes the open connection, because SSH would take seconds to detect that the node is off. */
	disconnect(node: Identity): Promise<void>
}

/** Creates a key pair in the directory, and a shell that uses it. */
export async function makeShell(dir: string, env: Readonly<Record<string, string>>): Promise<Shell> {
	const key = join(dir, 'ssh-key')
	await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', key], { env })
	const { stdout: publicKey } = await execa('cat', [`${key}.pub`])
	return {
		publicKey: `${publicKey}\n`,
		async run(node, command, { inputFile, timeoutMs = 60_000 } = {}) {
			const input = inputFile === undefined ? ({ stdin: 'ignore' } as const) : { inputFile }
			const argv = [...options(dir, key), `root@${node.address}`, command]
			const { stdout, stderr, exitCode, originalMessage } = await execa('ssh', argv, { env, reject: false, timeout: timeoutMs, ...input })
			return { stdout, stderr: stderr || (exitCode === undefined ? (originalMessage ?? 'killed') : ''), exitCode: exitCode ?? 255 }
		},
		async disconnect({ address }) {
			await execa('ssh', [...options(dir, key), '-O', 'exit', `root@${address}`], { env, reject: false })
		},
	}
}

function options(dir: string, key: string): string[] {
	const values = {
		StrictHostKeyChecking: 'no',
		UserKnownHostsFile: '/dev/null',
		LogLevel: 'ERROR',
		ConnectTimeout: '3',
		ServerAliveInterval: '2',
		ControlMaster: 'auto',
		ControlPath: join(dir, 'ssh-%h'),
		ControlPersist: '60',
	}
	return ['-F', 'none', '-i', key, ...Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}
