import { type Fleet, isWaiting } from '../model/fleet.ts'
import { stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { cellsOf, clipCells } from './cells.ts'
import { fleetLines, summaryLine } from './fleet.ts'
import { type NodesView, nodeRow, nodesHeader } from './node-table.ts'
import { table } from './columns.ts'

/** The terminal output for a changing fleet, with as little redrawing as possible. Pure. */

const ESC = '\u001b'
const colour = new RegExp(`(${ESC}\\[[0-9;]*m)`)

/**
 * @returns the fleet in at most `lines` lines: the rollout, the number of nodes in each state, and the nodes that matter most to the user
 */
export function fleetFrame(configs: readonly ConfigView[], view: NodesView, lines: number): string[] {
	const head = [...fleetLines(view.fleet, view.colours), summaryLine(view.fleet)]
	const room = Math.max(1, lines - head.length - 1)
	const shown = configs.length <= room ? configs : byInterest(configs, view.fleet).slice(0, room - 1)
	const more = configs.length - shown.length
	const rows = table([nodesHeader(view.isWide), ...shown.map(config => nodeRow(config, view))])
	return [...head, ...rows, ...(more > 0 ? [view.colours.faint(`… and ${more} more`)] : [])]
}

/**
 * @returns the nodes in order of importance to the user: nodes that stop the rollout, then running, failed, held back, queued and finished
 * nodes
 */
export function byInterest(configs: readonly ConfigView[], { line, stoppers }: Fleet): ConfigView[] {
	const stopping = new Set(stoppers.map(({ name }) => name))
	const rank = (config: ConfigView) => {
		if (stopping.has(config.name)) return -1
		return isWaiting(config) ? 3 : { InProgress: 0, Failed: 1, Pending: 2, Configured: 4 }[stateOf(config)]
	}
	const place = ({ name }: ConfigView) => line.get(name) ?? 0
	const done = ({ status }: ConfigView) => Date.parse(status.lastProcessed ?? '') || 0
	return [...configs].sort((a, b) => rank(a) - rank(b) || place(a) - place(b) || done(b) - done(a) || (a.name < b.name ? -1 : 1))
}

/**
 * Turns one frame into the next, writing only lines that differ. The cursor is below the last line, before and after.
 *
 * @returns text for the terminal; empty if nothing differs
 */
export function redraw(before: readonly string[], after: readonly string[]): string {
	const up = before.length > 0 ? `${ESC}[${before.length}A` : ''
	let text = ''
	let skipped = 0
	for (const [at, line] of after.entries()) {
		if (at < before.length && before[at] === line) {
			skipped++
			continue
		}
		text += `${skipped > 0 ? `${ESC}[${skipped}B` : ''}\r${ESC}[2K${line}\n`
		skipped = 0
	}
	const isShorter = before.length > after.length
	if (text === '' && !isShorter) return ''
	return `${up}${text}${skipped > 0 ? `${ESC}[${skipped}B` : ''}${isShorter ? `\r${ESC}[J` : ''}`
}

/** @returns the line, cut to `columns` terminal cells; colours are kept, and end where the line is cut */
export function clip(line: string, columns: number): string {
	let room = columns
	let text = ''
	for (const part of line.split(colour)) {
		if (part.startsWith(ESC)) text += part
		else {
			text += clipCells(part, room)
			room -= Math.min(room, cellsOf(part))
		}
	}
	return text
}
