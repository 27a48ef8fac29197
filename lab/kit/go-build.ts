import { contained } from '../base/contained.ts'
import type { ReportProgress } from '../base/progress.ts'

/** What to build with Go: the module, the command and the output file. */
export interface GoBuild {
	/** Directory of the module. */
	module: string
	/** Import path of a command, in the module itself or in one of its dependencies. */
	command: string
	/** Value of `-ldflags`: `-s -w -X …`. */
	linkerFlags: string
	output: string
}

/**
 * Builds one static binary, and reports how many modules have been downloaded, then how many packages have been compiled. If the build
 * fails, throws an error with the compiler's output.
 */
export async function goBuild({ module, command, linkerFlags, output }: GoBuild, report: ReportProgress): Promise<void> {
	const options = { cwd: module, env: { CGO_ENABLED: '0', GOFLAGS: '' } }
	const downloads = counted(/^go: downloading /, count => report(`downloading modules, ${count} so far`))
	const { stdout } = await contained(['go', 'list', '-deps', command], { ...options, stderr: downloads })
	const all = stdout.split('\n').length
	const compiled = counted(/^[\w.~/-]+$/, count => report(`compiled ${count} of at most ${all} packages`))
	const flags = ['-v', '-trimpath', '-ldflags', linkerFlags, '-o', output]
	await contained(['go', 'build', ...flags, command], { ...options, stderr: compiled })
}

/** Counts the progress lines and removes them, so that an error contains only the remaining lines. */
function counted(progress: RegExp, report: (count: number) => void) {
	let count = 0
	return function* (line: unknown) {
		if (progress.test(String(line))) report(++count)
		else yield line
	}
}
