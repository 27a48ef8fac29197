import type { Option } from 'commander'
import { cleanLines } from '../../contract/clean.ts'
import { progressOf } from './progress.ts'
import type { Reading } from './reading.ts'
import { type Colours, coloursFor } from '../render/colours.ts'
import type { Screen, CliIo } from '../model/io.ts'

/** One invocation of the program that accesses a cluster. */
export type Session = Reading & {
	io: CliIo
	colours: Colours
	/** Writes lines to standard output. */
	print(lines: readonly string[]): void
	/** Writes one line to standard error. */
	warn(line: string): void
}

/** The definition of a command. */
export type CommandSpec<Flags> = {
	name: string
	nodes: 'none' | 'one' | 'any'
	/** One line for the list of commands. */
	about: string
	options: readonly Option[]
	/** Text below the help of the command. */
	more: string
	/** @returns the exit code */
	act(session: Session, nodes: readonly string[], flags: Flags): Promise<number>
}

/**
 * Creates the session of a command.
 *
 * @param complete applied to every printed text, for example to add the namespace to the commands that it suggests
 */
export function sessionOf(io: CliIo, cluster: Reading['cluster'], complete: (text: string) => string): Session {
	const { out, err, env, signal } = io
	const { progress, clear } = progressOf(io)
	const write = (to: Screen, lines: readonly string[]) => {
		if (lines.length === 0) return
		clear()
		to.write(complete(`${lines.join('\n')}\n`))
	}
	return {
		io,
		cluster,
		signal,
		progress,
		colours: coloursFor(wantsColour(io, env)),
		print: lines => write(out, lines),
		warn: line => write(err, [cleanLines(line)]),
	}
}

/** Returns whether to use colours: only on a terminal that supports them, never with a non-empty NO_COLOR (https://no-color.org). */
function wantsColour({ out }: CliIo, env: CliIo['env']): boolean {
	return out.isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'
}
