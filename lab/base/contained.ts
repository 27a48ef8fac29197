import { type Options, execa } from 'execa'

/** The output of a command. */
export interface CommandOutput {
	stdout: string
	stderr: string
}

/**
 * Runs a command to completion. As root, the command gets its own PID and mount namespaces, so that all its processes end with it and none
 * of its mounts remain, even if the current process is killed. If the command fails, throws an error with its stderr.
 */
export async function contained(argv: readonly [string, ...string[]], options: Options = {}): Promise<CommandOutput> {
	const { stdout, stderr } = await execa('setpriv', ['--pdeathsig', 'KILL', '--', ...inNamespaces(argv)], options)
	return { stdout: String(stdout ?? ''), stderr: String(stderr ?? '') }
}

function inNamespaces(argv: readonly string[]): readonly string[] {
	if (process.getuid?.() !== 0) return argv
	return ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', ...argv]
}
