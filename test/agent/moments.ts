import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runFolder, type StartedAgent } from '../../lab/setup/machine-agent.ts'

/** A moment of a run: before or after the nth call of a function whose arguments, joined to one line, match `of`. */
export type Moment = { call: 'execFile' | 'renameSync' | 'rmSync' | 'openSync'; of: RegExp; nth?: number; when: 'before' | 'after' }

/** The moments of a run in chronological order: before `commit`, the whole run must be rolled back. */
export const moments = {
	unarmed: { call: 'renameSync', of: /\/undo\/undo\.json$/, when: 'before' },
	halfArmed: { call: 'renameSync', of: /\/undo\/undo\.json$/, when: 'after' },
	enabled: { call: 'execFile', of: /StartUnit ss multinic-undo/, when: 'before' },
	armed: { call: 'execFile', of: /StartUnit ss multinic-undo/, when: 'after' },
	firstLines: { call: 'execFile', of: /^ip -batch/, when: 'after' },
	lastLines: { call: 'openSync', of: /^\/host\/etc\/.*\.multinic-.* wx$/, nth: 2, when: 'before' },
	halfWritten: { call: 'renameSync', of: /^\S+ \/host\/etc\//, nth: 3, when: 'before' },
	written: { call: 'renameSync', of: /\/multinic\/record\.json$/, when: 'after' },
	confirm: { call: 'renameSync', of: /\/multinic\/undo \S+\/committed$/, when: 'before' },
	commit: { call: 'renameSync', of: /\/multinic\/undo \S+\/committed$/, when: 'after' },
	stopped: { call: 'execFile', of: /StopUnit ss multinic-undo/, when: 'after' },
	over: { call: 'rmSync', of: /\/multinic\/lock/, when: 'before' },
} as const satisfies Record<string, Moment>

/** A module to load before the agent; it pauses the agent at that moment until `goOn` is called. */
export function standStillAt({ call, of, nth = 1, when }: Moment): string {
	return `import fs from 'node:fs'
import child from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
const [home, exists, write] = [${call === 'execFile' ? 'child' : 'fs'}, fs.existsSync, fs.writeFileSync]
const real = home.${call}
let left = ${nth}
home.${call} = (...args) => {
	const words = args.flat().filter(word => typeof word === 'string').join(' ')
	if (!${of}.test(words) || --left !== 0) return real(...args)
	if (${when === 'before'}) stand()
	else if (${call === 'execFile'}) return real(...args.slice(0, -1), (...end) => { stand(); args.at(-1)(...end) })
	const result = real(...args)
	if (${when === 'after'}) stand()
	return result
}
syncBuiltinESMExports()
function stand() {
	write('${runFolder}/standing', '')
	const never = new Int32Array(new SharedArrayBuffer(4))
	while (!exists('${runFolder}/go')) Atomics.wait(never, 0, 0, 50)
}
`
}

/** Resolves when the run is paused. Throws its output if it ended without a pause. */
export async function untilStanding({ folder, ended }: StartedAgent): Promise<void> {
	let end: string | undefined
	void ended.then(({ stdout, stderr }) => {
		end = `${stdout}\n${stderr}`
	})
	while (!existsSync(join(folder, 'standing'))) {
		if (end !== undefined) throw new Error(`the run ended before that moment: ${end}`)
		await sleep(20)
	}
}

export function goOn({ folder }: StartedAgent): void {
	writeFileSync(join(folder, 'go'), '')
}
