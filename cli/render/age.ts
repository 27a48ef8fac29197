const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/** The units of a time below `below` (milliseconds): the larger unit, then the smaller one, which is omitted if it is 0. */
const steps: readonly { below: number; units: readonly [number, string][] }[] = [
	{ below: 2 * MINUTE, units: [[SECOND, 's']] },
	{
		below: 10 * MINUTE,
		units: [
			[MINUTE, 'm'],
			[SECOND, 's'],
		],
	},
	{ below: 3 * HOUR, units: [[MINUTE, 'm']] },
	{
		below: 8 * HOUR,
		units: [
			[HOUR, 'h'],
			[MINUTE, 'm'],
		],
	},
	{ below: 2 * DAY, units: [[HOUR, 'h']] },
	{
		below: 8 * DAY,
		units: [
			[DAY, 'd'],
			[HOUR, 'h'],
		],
	},
	{ below: 2 * YEAR, units: [[DAY, 'd']] },
	{
		below: Number.POSITIVE_INFINITY,
		units: [
			[YEAR, 'y'],
			[DAY, 'd'],
		],
	},
]

/** @returns an elapsed time in kubectl's format: `4s`, `3m20s`, `5d`; `<unknown>` if the time is not known */
export function age(ms: number): string {
	if (!Number.isFinite(ms)) return '<unknown>'
	const passed = Math.max(0, ms)
	const { units } = steps.find(({ below }) => passed < below) ?? { units: [[SECOND, 's']] as const }
	let rest = passed
	return units
		.map(([length, unit], at) => {
			const count = Math.floor(rest / length)
			rest -= count * length
			return at > 0 && count === 0 ? '' : `${count}${unit}`
		})
		.join('')
}

/** @returns the time since a timestamp of the API server, in the same format */
export function ageOf(time: string | undefined, now: number): string {
	return age(now - Date.parse(time ?? ''))
}
