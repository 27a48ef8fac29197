import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * The agent's bundle, with what V8 compiled of it when the image was built. If that is missing or unusable, V8 compiles on demand.
 *
 * @param folder of the bundle
 */
export function agentScript(folder: string): Script {
	const filename = join(folder, 'agent.cjs')
	const compiled = compiledIn(folder)
	Object.assign(globalThis, { require })
	// esbuild writes ASCII, which V8 stores unchanged: one byte per character.
	return new Script(readFileSync(filename, 'latin1'), {
		filename,
		...(existsSync(compiled) && { cachedData: readFileSync(compiled) }),
	})
}

/** @returns the path of the compiled code */
export function compiledIn(folder: string): string {
	return join(folder, 'agent.code')
}
