import { clean } from '../../contract/clean.ts'
import type { FleetReading } from '../read/fleet.ts'
import { fleetLines, summaryLine } from '../render/fleet.ts'
import { clip, fleetFrame, redraw } from '../render/frame.ts'
import { nodePage } from '../render/node-page.ts'
import { changeKey, nodeRow, nodesHeader } from '../render/node-table.ts'
import { isFormat, streamed } from '../render/output.ts'
import { line, widthsOf } from '../render/columns.ts'
import type { Session } from '../read/session.ts'
import type { GetFlags } from './options.ts'

/** Shows the current state. `changed`: names of nodes, empty for another change; `trouble`: why the output may be stale, or empty. */
export type Renderer = (reading: FleetReading, changed: ReadonlySet<string>, trouble: string) => void

/** Chooses how changes are shown: as objects for a program, as a frame that is redrawn on a terminal, otherwise as appended lines. */
export function rendererFor(session: Session, nodes: readonly string[], { output }: GetFlags): Renderer {
	if (isFormat(output)) return warning(session, objects(session, nodes, output))
	if (session.io.out.isTerminal) return frames(session, nodes, output === 'wide')
	return warning(session, rows(session, nodes, output === 'wide'))
}

/** Reports each trouble once, on standard error. */
function warning({ warn }: Session, paint: Renderer): Renderer {
	let told = ''
	return (reading, changed, trouble) => {
		if (trouble !== '' && trouble !== told) warn(`warning: ${trouble}`)
		told = trouble
		paint(reading, changed, trouble)
	}
}

function objects({ print }: Session, nodes: readonly string[], output: 'json' | 'yaml'): Renderer {
	return (reading, changed) => {
		const shown = reading.objects.filter(({ metadata: { name } }) => changed.has(name) && isMeant(nodes, name))
		print(shown.map(object => streamed(object, output)))
	}
}

function frames({ io: { out, now }, colours }: Session, nodes: readonly string[], isWide: boolean): Renderer {
	let before: string[] = []
	return ({ configs, fleet }, _, trouble) => {
		const { columns, rows } = out.size()
		const view = { fleet, now: now(), colours, isWide }
		const [only] = configs
		const isPage = nodes.length === 1 && only !== undefined && !isWide
		const below = trouble === '' ? [] : [colours.bad(clean(trouble))]
		const room = rows - 1 - below.length
		const lines = isPage ? nodePage(only, view).slice(0, room) : fleetFrame(configs, view, room)
		const after = [...lines, ...below].map(text => clip(text, columns))
		out.write(redraw(before, after))
		before = after
	}
}

/** Minimum interval between two summaries of the fleet, in milliseconds. */
const summaryMs = 10_000

function rows({ print, io, colours }: Session, nodes: readonly string[], isWide: boolean): Renderer {
	const told = new Map<string, string>()
	let widths: number[] | undefined
	let summary = { text: '', at: 0 }
	return ({ configs, fleet }, changed) => {
		const now = io.now()
		const view = { fleet, now, colours, isWide }
		const fresh = configs.filter(config => changed.has(config.name) && told.get(config.name) !== changeKey(config))
		const cells = fresh.map(config => nodeRow(config, view))
		const lines = [...fleetLines(fleet, colours), summaryLine(fleet)].map(text => `# ${text}`)
		const isNews = nodes.length === 0 && lines.join() !== summary.text && (summary.at === 0 || now - summary.at >= summaryMs)
		if (isNews) print(lines)
		if (isNews) summary = { text: lines.join(), at: now }
		if (widths === undefined) {
			widths = widthsOf([nodesHeader(isWide), ...cells])
			print([line(nodesHeader(isWide), widths)])
		}
		const known = widths
		print(cells.map(row => line(row, known)))
		for (const config of fresh) told.set(config.name, changeKey(config))
		print(goneOf(told, configs, changed).map(name => line([name, 'Deleted'], known)))
	}
}

/** Returns the nodes that were shown and no longer exist, and removes them from `told`. */
function goneOf(told: Map<string, string>, configs: FleetReading['configs'], changed: ReadonlySet<string>): string[] {
	const there = new Set(configs.map(({ name }) => name))
	return [...changed].filter(name => !there.has(name) && told.delete(name))
}

function isMeant(nodes: readonly string[], name: string): boolean {
	return nodes.length === 0 || nodes.includes(name)
}
