import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * Loads the agent's bundle with the V8 code cache that was made when the image was built. If the cache is missing or unusable, V8 compiles
 * on demand.
 *
 * @param folder directory of the bundle
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

/** @returns the path of the code cache */
export function compiledIn(folder: string): string {
	return join(folder, 'agent.code')
}
