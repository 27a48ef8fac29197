import { clean } from '../../contract/clean.ts'
import { cellsOf, padCells } from './cells.ts'

/** Text in columns. Pure. */

/** Adds colour to text that has its final width. */
export type Paint = (text: string) => string

export type Cell = string | { text: string; paint: Paint }

const gap = '   '

/** @returns one line per row, the columns three spaces apart; the last column is not padded */
export function table(rows: readonly (readonly Cell[])[]): string[] {
	const widths = widthsOf(rows)
	return rows.map(row => line(row, widths))
}

/** @returns the width of each column (cells of a terminal) */
export function widthsOf(rows: readonly (readonly Cell[])[]): number[] {
	const widths: number[] = []
	for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cellsOf(textOf(cell)))
	return widths
}

/** @returns one row of a table of these widths */
export function line(row: readonly Cell[], widths: readonly number[]): string {
	const last = row.findLastIndex(cell => textOf(cell) !== '')
	return row
		.slice(0, last + 1)
		.map((cell, at) => painted(cell, at === last ? 0 : (widths[at] ?? 0)))
		.join(gap)
}

function textOf(cell: Cell): string {
	return clean(typeof cell === 'string' ? cell : cell.text)
}

function painted(cell: Cell, width: number): string {
	const text = textOf(cell)
	return typeof cell === 'string' ? padCells(text, width) : cell.paint(text) + padCells(text, width).slice(text.length)
}
