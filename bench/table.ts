import type { Figure } from './figure.ts'

/** Formats the figures as lines with aligned columns, each with its verdict in front. */
export function table(figures: readonly Figure[]): string {
	const rows = figures.map(figure => [
		figure.ok ? 'ok ' : 'BAD',
		figure.name,
		`${figure.value} ${figure.unit}`,
		limitOf(figure),
		floorOf(figure),
	])
	const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
	return rows
		.map(
			row =>
				`${row
					.map((cell, column) => cell.padEnd(widths[column] ?? 0))
					.join('  ')
					.trimEnd()}\n`,
		)
		.join('')
}

/** Formats the limit. Whether it is an upper or a lower limit follows from the value and the verdict. */
function limitOf({ value, limit, ok, unit }: Figure): string {
	if (limit === null) return ''
	return `${value <= limit === ok ? 'at most' : 'at least'} ${limit} ${unit}`
}

function floorOf({ floor, ratio, unit }: Figure): string {
	return floor === null ? '' : `${ratio} × the baseline of ${floor} ${unit}`
}
