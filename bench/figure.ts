/** One measured value. `limit` is in the unit of `value`. A field that does not apply is null. */
export type Figure = {
	name: string
	value: number
	unit: string
	limit: number | null
	/** The baseline: the same work done in the simplest way, measured in the same run, in the unit of `value`. */
	floor: number | null
	/** value ÷ floor */
	ratio: number | null
	ok: boolean
}

/** Receives progress, one line at a time. */
export type Log = (line: string) => void

/** The function that each `bench/<room>.ts` exports as `figures`. `long`: also measures what takes an hour. */
export type Figures = (log: Log, how: { long: boolean }) => Promise<Figure[]>

/** A measured value and its bounds. If it has two upper bounds, the lower one applies. A figure without bounds is only reported. */
export type Measured = {
	name: string
	value: number
	unit: string
	floor?: number
	atMost?: number
	atLeast?: number
	/** The value must be at most this many times the baseline. */
	atMostFloors?: number
	/** The value must be at least this many times the baseline. */
	atLeastFloors?: number
}

/** Judges one measured value, then rounds the figures to three significant digits. */
export function figure({ name, value, unit, floor, atMost, atMostFloors, ...lower }: Measured): Figure {
	const atLeast = lower.atLeast ?? (floor && lower.atLeastFloors && floor * lower.atLeastFloors)
	const upper = [atMost, floor && atMostFloors && floor * atMostFloors].filter(bound => bound !== undefined)
	const most = upper.length > 0 ? Math.min(...upper) : undefined
	return {
		name,
		value: short(value),
		unit,
		limit: short(most ?? atLeast),
		floor: short(floor),
		ratio: short(floor ? value / floor : undefined),
		ok: Number.isFinite(value) && (most === undefined || value <= most) && (atLeast === undefined || value >= atLeast),
	}
}

/** Returns the median of the values, or the upper of the two middle values. NaN if there are no values. */
export function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** A value, and the baseline that was measured with it. */
export type Pair = { value: number; floor: number }

/**
 * Returns the pair with the median ratio, or the upper of the two middle pairs: a machine that slows down for a minute affects both values
 * of a pair. Both values are NaN if there are no pairs.
 */
export function middlePair(pairs: readonly Pair[]): Pair {
	const sorted = pairs.toSorted((a, b) => a.value / a.floor - b.value / b.floor)
	return sorted[Math.floor(sorted.length / 2)] ?? { value: Number.NaN, floor: Number.NaN }
}

function short(value: number): number
function short(value: number | undefined): number | null
function short(value: number | undefined): number | null {
	return value === undefined ? null : Number(value.toPrecision(3))
}
