import pc from 'picocolors'

/** Reports the progress of a step, in a few words: "3 of 5", "unpacking". */
export type ReportProgress = (progress: string) => void

interface Step {
	what: string
	progress: string
	since: number
	/** When the step was last printed; used only where lines cannot be rewritten. */
	printedAt: number
}

const running = new Set<Step>()
const quietMs = 10_000
let ticker: NodeJS.Timeout | undefined

/**
 * Runs `work`, and shows its name, progress and elapsed time on stderr: in place on a terminal, elsewhere as a line every 10 s. A step that
 * succeeds in less than 0.3 s leaves no line.
 */
export async function step<T>(what: string, work: (report: ReportProgress) => Promise<T>): Promise<T> {
	const mine: Step = { what, progress: '', since: Date.now(), printedAt: Date.now() }
	begin(mine)
	try {
		const result = await work(progress => {
			mine.progress = progress
		})
		end(mine, true)
		return result
	} catch (error) {
		end(mine, false)
		throw error
	}
}

/** Prints a line on stderr, above the steps that are running. */
export function printLine(line: string): void {
	process.stderr.write(`${clear()}${line}\n`)
	draw()
}

function begin(step: Step): void {
	running.add(step)
	ticker ??= setInterval(tick, 200)
	ticker.unref()
	draw()
}

function end(step: Step, ok: boolean): void {
	running.delete(step)
	if (running.size === 0) {
		clearInterval(ticker)
		ticker = undefined
	}
	const tookMs = Date.now() - step.since
	if (!ok || tookMs >= 300) printLine(`${ok ? pc.green('✓') : pc.red('✗')} ${step.what} ${pc.dim(seconds(tookMs))}`)
	else draw()
}

function tick(): void {
	draw()
	if (process.stderr.isTTY) return
	for (const step of running) {
		if (Date.now() - step.printedAt < quietMs) continue
		step.printedAt = Date.now()
		process.stderr.write(`  ${describe(step)}\n`)
	}
}

function draw(): void {
	if (!process.stderr.isTTY || running.size === 0) return
	const width = process.stderr.columns || 80
	const text = [...running].map(describe).join(' · ')
	process.stderr.write(`${clear()}${pc.cyan('…')} ${text.slice(0, width - 3)}`)
}

function describe({ what, progress, since }: Step): string {
	return `${what}${progress && ` (${progress})`} ${seconds(Date.now() - since)}`
}

function clear(): string {
	return process.stderr.isTTY ? '\r\x1b[K' : ''
}

/** Formats a duration: 350 → "0.3 s", 95 000 → "1 min 35 s". */
export function seconds(ms: number): string {
	if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
	const whole = Math.round(ms / 1000)
	return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
