import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * The agent's bundle, with what V8 compiled of it when the image was built. Without that, or where this V8 cannot use it, V8 compiles as it goes.
 *
 * @param folder of the bundle
 */
export function agentScript(folder: string): Script {
	const filename = join(folder, 'agent.cjs')
	const compiled = compiledIn(folder)
	Object.assign(globalThis, { require })
	// esbuild writes ASCII, which V8 keeps as it is: one byte a character.
	return new Script(readFileSync(filename, 'latin1'), {
		filename,
		...(existsSync(compiled) && { cachedData: readFileSync(compiled) }),
	})
}

/** @returns the file of the compiled code */
export function compiledIn(folder: string): string {
	return join(folder, 'agent.code')
}
