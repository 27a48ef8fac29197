import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import type { Figure, Figures } from './figure.ts'
import { table } from './table.ts'

/**
 * `npm run bench [-- ROOM …] [--json] [--long]`: measures every figure of all rooms or of the named ones, and with `--long` also those that
 * take an hour. Exits 1 if a figure misses its limit, and 2 if a room does not exist.
 */
const flag = { type: 'boolean', default: false } as const
const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: flag, long: flag } })
const rooms = globSync('*.ts', { cwd: import.meta.dirname })
	.map(file => basename(file, '.ts'))
	.filter(name => !['main', 'figure', 'table'].includes(name))
	.sort()
const unknown = positionals.filter(name => !rooms.includes(name))

if (unknown.length > 0) {
	process.stderr.write(`bench: unknown rooms: ${unknown.join(', ')}; the rooms are ${rooms.join(', ') || 'none'}\n`)
	process.exit(2)
}
const all: Figure[] = []
for (const room of positionals.length > 0 ? positionals : rooms) all.push(...(await measure(room).catch(error => failed(room, error))))
process.exit(all.length > 0 && all.every(({ ok }) => ok) ? 0 : 1)

function failed(room: string, error: unknown): never {
	process.stderr.write(`bench ${room}: ${error instanceof Error ? error.message : String(error)}\n`)
	process.exit(1)
}

async function measure(room: string): Promise<Figure[]> {
	const { figures } = (await import(`./${room}.ts`)) as { figures: Figures }
	const found = await figures(line => process.stderr.write(`bench ${room}: ${line}\n`), values)
	process.stdout.write(values.json ? found.map(figure => `${JSON.stringify(figure)}\n`).join('') : `\n${room}\n${table(found)}`)
	return found
}
