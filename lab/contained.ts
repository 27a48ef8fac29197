import { type Options, execa } from 'execa'

/** What a command printed. */
export interface Printed {
	stdout: string
	stderr: string
}

/**
 * Runs a command to its end. As root it gets process and mount namespaces of its own, so that all it started goes with it, and nothing it
 * mounted is left, however this process ends. Throws when it fails, with what it printed to stderr.
 */
export async function contained(argv: readonly [string, ...string[]], options: Options = {}): Promise<Printed> {
	const { stdout, stderr } = await execa('setpriv', ['--pdeathsig', 'KILL', '--', ...wall(argv)], options)
	return { stdout: String(stdout ?? ''), stderr: String(stderr ?? '') }
}

function wall(argv: readonly string[]): readonly string[] {
	if (process.getuid?.() !== 0) return argv
	return ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', ...argv]
}
