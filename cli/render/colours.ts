import pc from 'picocolors'
import type { State } from '../../contract/node-config.ts'
import type { Cell, Paint } from './columns.ts'

/** How each kind of text is emphasised; without a terminal, text is not emphasised. */
export type Colours = { good: Paint; bad: Paint; warm: Paint; busy: Paint; faint: Paint; strong: Paint }

/** @param on whether colours are wanted: only on a terminal, and never with NO_COLOR */
export function coloursFor(on: boolean): Colours {
	const { green, red, yellow, cyan, dim, bold } = pc.createColors(on)
	return { good: green, bad: red, warm: yellow, busy: cyan, faint: dim, strong: bold }
}

/** Returns the name of a state, in its colour. */
export function stateCell(state: State, { good, bad, warm, busy }: Colours): Cell {
	const paint = { Configured: good, Failed: bad, Pending: warm, InProgress: busy }[state]
	return { text: state, paint }
}
