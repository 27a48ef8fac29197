import { join } from 'node:path'
import { build } from 'esbuild'
import { agentFormat, agentImage, agentImageFormat } from '../../bundle.ts'

/**
 * Bundles the product's entry point with one change: it also accepts veth devices as NICs, because a network namespace has no hardware.
 *
 * @param folder directory for `agent.cjs`
 * @returns the path of the bundle
 */
export async function bundleAgent(folder: string): Promise<string> {
	const outfile = join(folder, 'agent.cjs')
	const contents = `import { main } from './agent/main.ts'\nmain(process.env, new Set(['hardware', 'veth']), process.argv.slice(2)).then(status => process.exit(status))`
	const stdin = { contents, resolveDir: join(import.meta.dirname, '../..'), loader: 'ts' as const }
	const define = { 'import.meta.main': 'false' } // only the code above is the entry point
	await build({ ...agentFormat, stdin, outfile, define })
	return outfile
}

/** Bundles the agent, and the scripts that start it in the image. */
export async function bundleImage(folder: string): Promise<void> {
	await bundleAgent(folder)
	const absWorkingDir = join(import.meta.dirname, '../..')
	await build({ ...agentImageFormat, absWorkingDir, entryPoints: agentImage, outdir: folder, outExtension: { '.js': '.cjs' } })
}
