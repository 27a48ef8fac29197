import { join } from 'node:path'
import { execa } from 'execa'
import type { Identity } from './identity.ts'

/** The output of a command on a node, and its exit code; 255 when the node could not be reached. */
export interface CommandResult {
	stdout: string
	stderr: string
	exitCode: number
}

/** How a command is run on a node. */
export interface RunOptions {
	/** A file of this machine that becomes its standard input. */
	inputFile?: string
	/** Default: 60 000. */
	timeoutMs?: number
}

/** Runs commands as root on the nodes, over ssh; the connection is kept open, so that the second command takes 0.15 s. */
export interface Shell {
	/** For the nodes' authorized_keys. */
	readonly publicKey: string
	/** Does not throw when the command fails: see `exitCode`. */
	run(node: Identity, command: string, options?: RunOptions): Promise<CommandResult>
	/** Closes the connection that is kept open: it would take seconds to notice that the other side is gone. */
	disconnect(node: Identity): Promise<void>
}

/** Creates a key pair in the folder and a shell that uses it. */
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
