import type { Command, Option } from 'commander'

/** What can come next on a command line. Pure. */

export type Choice = { text: string; about: string }

/** The known choices, and what else is possible at this position. */
export type Completion = { choices: Choice[]; also: 'nodes' | 'files' | 'nothing' }

const nothing: Completion = { choices: [], also: 'nothing' }

/**
 * Completes a command line.
 *
 * @param words the words after the program's name; the last word is being typed and may be empty
 * @returns choices that begin with the last word; the caller must find node names itself
 */
export function completionOf(program: Command, words: readonly string[]): Completion {
	const typed = words.at(-1) ?? ''
	const before = words.slice(0, -1)
	const { command, given, open } = read(program, before)
	if (open) return valueChoices(open, typed, '')
	const [, flag = '', value = ''] = /^(--[a-z-]+)=(.*)$/.exec(typed) ?? []
	const assigned = flag === '' ? undefined : optionsOf(program, command).find(({ long }) => long === flag)
	if (assigned) return valueChoices(assigned, value, `${flag}=`)
	if (typed.startsWith('-')) return { ...nothing, choices: flagsOf(program, command, typed) }
	if (!command) return { ...nothing, choices: beginning(typed, commandsOf(program)) }
	return argumentOf(command, given, typed)
}

type Line = { command: Command | undefined; given: number; open: Option | undefined }

/** Returns the command, the number of its arguments, and the option that still needs its value. */
function read(program: Command, words: readonly string[]): Line {
	const line: Line = { command: undefined, given: 0, open: undefined }
	for (const word of words) {
		if (line.open) line.open = undefined
		else if (word.startsWith('-')) line.open = optionsOf(program, line.command).find(option => takesNext(option, word))
		else if (line.command) line.given++
		else line.command = program.commands.find(one => one.name() === word)
	}
	return line
}

function takesNext({ long, short, required }: Option, word: string): boolean {
	return required && (word === long || word === short)
}

function optionsOf(program: Command, command: Command | undefined): readonly Option[] {
	return [...(command?.options ?? []), ...program.options]
}

function flagsOf(program: Command, command: Command | undefined, typed: string): Choice[] {
	const flags = optionsOf(program, command).map(({ long, description }) => ({ text: long ?? '', about: description }))
	return beginning(typed, [...flags, { text: '--help', about: 'show help' }])
}

function commandsOf(program: Command): Choice[] {
	return program.commands.map(command => ({ text: command.name(), about: command.description() }))
}

function valueChoices({ argChoices = [], flags }: Option, typed: string, prefix: string): Completion {
	const choices = argChoices.map(text => ({ text: prefix + text, about: '' }))
	return { choices: beginning(prefix + typed, choices), also: flags.includes('<file>') ? 'files' : 'nothing' }
}

function argumentOf(command: Command, given: number, typed: string): Completion {
	const argument = command.registeredArguments.at(Math.min(given, command.registeredArguments.length - 1))
	if (!argument || (given > 0 && !argument.variadic)) return nothing
	if (argument.argChoices)
		return {
			...nothing,
			choices: beginning(
				typed,
				argument.argChoices.map(text => ({ text, about: '' })),
			),
		}
	return { choices: [], also: 'nodes' }
}

function beginning(typed: string, choices: readonly Choice[]): Choice[] {
	return choices.filter(({ text }) => text.startsWith(typed))
}

/** @returns lines as kubectl and cobra expect them: a choice, a tab, its description; last the directive (0: files too, 4: nothing else) */
export function completionLines({ choices, also }: Completion): string[] {
	const lines = choices.map(({ text, about }) => (about === '' ? text : `${text}\t${about.split('\n')[0]}`))
	return [...lines, also === 'files' ? ':0' : ':4']
}
