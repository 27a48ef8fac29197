import childProcess from 'node:child_process'
import { writeFileSync } from 'node:fs'

/**
 * Preloaded into the agent (`--import`): writes the output of each program that the agent started to the file RECORDED, by command line and
 * in the order in which the programs exited.
 */
const answers: Record<string, { code: number; stdout: string; stderr: string }[]> = {}
const real = childProcess.execFile as (...args: readonly unknown[]) => unknown

type Told = (error: { code?: number } | null, stdout: string, stderr: string) => void
Object.assign(childProcess, {
	execFile: (program: string, args: readonly string[], options: unknown, tell: Told) =>
		real(program, args, options, (error: { code?: number } | null, stdout: string, stderr: string) => {
			const question = [program, ...args].join(' ')
			answers[question] = [...(answers[question] ?? []), { code: error === null ? 0 : (error.code ?? 1), stdout, stderr }]
			tell(error, stdout, stderr)
		}),
})
process.once('exit', () => writeFileSync(process.env.RECORDED ?? '', JSON.stringify(answers)))
