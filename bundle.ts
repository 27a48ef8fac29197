import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build, type Metafile } from 'esbuild'

/** Entry points that `npm run bundle` builds for the images. The agent is one file; the long-running processes share chunks. */
const agent = { agent: 'agent/main.ts' }
export const agentImage = { 'agent-start': 'agent/image/start.ts', 'agent-warm-up': 'agent/image/warm-up.ts' }
const plugin = { 'kubectl-multinic': 'cli/main.ts' }
const processes = {
	controller: 'controller/main.ts',
	viola: 'viola/main.ts',
	mgmt: 'mgmt/main.ts',
	uninstall: 'controller/uninstall/main.ts',
}
export const agentMaxBytes = 1_000_000

/** CommonJS packages load Node's built-in modules with `require`, which an ES module does not have. */
const banner = { js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)" }

const format = {
	bundle: true,
	platform: 'node',
	target: 'node24',
	format: 'esm',
	legalComments: 'none',
	logLevel: 'warning',
} as const satisfies BuildOptions

/**
 * Built-in modules that every run needs. They load before the V8 flags are set, because Node's code cache for them is valid only with V8's
 * default flags. HTTP and HTTPS load on demand, which saves memory (measured: 0.2 MiB).
 */
const modules = ['child_process', 'crypto', 'dns/promises', 'fs', 'net', 'os', 'path', 'timers/promises', 'tls']

/**
 * Startup code of the agent's bundle. Compiling code that runs only once is not worth the cost, so this turns off zod's JIT (measured: 7
 * ms) and V8's optimizing compilers (measured: 7 ms and 5 MiB, most of it the compilers themselves).
 * `docs/decisions/0026-agent-v8-flags.md` explains why the flags are not process arguments.
 */
const start = [
	'globalThis.__zod_globalConfig={jitless:true}',
	...modules.map(name => `require('node:${name}')`),
	...['--no-opt', '--no-maglev'].map(flag => `require('node:v8').setFlagsFromString('${flag}')`),
].join(';')

/**
 * Build options of the agent. The bundle is minified because every run reads it again, but identifiers keep their names so that stack
 * traces in its log stay readable. It is a script that calls `require`, because importing a built-in module reads all its properties,
 * including those created lazily (measured: 2 MiB).
 */
export const agentFormat = {
	...format,
	format: 'iife',
	minifySyntax: true,
	minifyWhitespace: true,
	supported: { 'dynamic-import': false },
	define: { 'import.meta.main': 'true' },
	banner: { js: `${start};` },
} as const satisfies BuildOptions

/** Build options of the start script in the agent's image, and of the script that writes the agent's code cache when the image is built. */
export const agentImageFormat = { ...format, format: 'cjs', minifyWhitespace: true } as const satisfies BuildOptions

/**
 * The plugin runs on the user's own Node. If that is too old for undici, the user gets a clear error instead of a failure on an unknown
 * API.
 */
const nodeIsOldEnough = `const [major,minor]=process.versions.node.split('.').map(Number);if(major<22||major===22&&minor<19){\
process.stderr.write('error: kubectl-multinic needs Node 22.19 or later, and this is '+process.versions.node+'\\n');process.exit(2)}`

/**
 * Build options of the kubectl plugin: one file because users copy it by hand, and CommonJS because it then needs no file extension and no
 * package.json beside it.
 */
const pluginFormat = {
	...format,
	format: 'cjs',
	target: 'node22',
	minifySyntax: true,
	minifyWhitespace: true,
	banner: { js: `#!/usr/bin/env node\n${nodeIsOldEnough}` },
} as const satisfies BuildOptions

/** The script that kubectl runs for shell completion of the plugin. */
const pluginCompletion = '#!/bin/sh\nexec kubectl-multinic __complete "$@"\n'

const files = { absWorkingDir: import.meta.dirname, metafile: true, write: false } as const

/**
 * Builds all bundles, then writes them together. Throws if the agent is too large or contains a package other than zod, or if another
 * process would load `@kubernetes/client-node` at startup.
 *
 * @returns the number of bytes that each entry loads at startup
 */
export async function bundle(outdir = join(import.meta.dirname, 'dist')): Promise<Record<string, number>> {
	const one = await build({ ...agentFormat, ...files, outdir, entryPoints: agent, outExtension: { '.js': '.cjs' } })
	const image = await build({ ...agentImageFormat, ...files, outdir, entryPoints: agentImage, outExtension: { '.js': '.cjs' } })
	const shared = { splitting: true, chunkNames: 'chunk-[hash]', banner, outExtension: { '.js': '.mjs' } }
	const many = await build({ ...format, ...files, ...shared, outdir, entryPoints: processes })
	const cli = await build({ ...pluginFormat, ...files, outdir, entryPoints: plugin, outExtension: { '.js': '.cjs' } })
	const started = Object.entries({ ...startedBy(agent, one.metafile), ...startedBy(processes, many.metafile) })
	const faults = started.flatMap(([entry, { packages, bytes }]) => faultsOf(entry, packages, bytes))
	if (faults.length > 0) throw new Error(`bundle: ${faults.join('; ')}`)
	await rm(outdir, { recursive: true, force: true })
	await mkdir(outdir, { recursive: true })
	const outputs = [...one.outputFiles, ...image.outputFiles, ...many.outputFiles, ...cli.outputFiles]
	await Promise.all(outputs.map(({ path, contents }) => writeFile(path, contents)))
	await Promise.all(cli.outputFiles.map(({ path }) => chmod(path, 0o755)))
	await writeFile(join(outdir, 'kubectl_complete-multinic'), pluginCompletion, { mode: 0o755 })
	return Object.fromEntries(started.map(([entry, { bytes }]) => [entry, bytes]))
}

function faultsOf(entry: string, packages: readonly string[], bytes: number): string[] {
	const strangers = packages.filter(name => (entry === agent.agent ? name !== 'zod' : name === '@kubernetes/client-node'))
	const tooLarge = entry === agent.agent && bytes > agentMaxBytes
	return [...strangers.map(name => `${entry} loads ${name} when it starts`), ...(tooLarge ? [`${entry} makes ${bytes} bytes`] : [])]
}

/**
 * Returns the packages and bytes that each entry loads at startup: its file and all its static imports. An `import()` runs later and does
 * not count.
 */
function startedBy(wanted: Record<string, string>, { outputs }: Metafile) {
	const starts = Object.keys(outputs).filter(path => Object.values(wanted).includes(outputs[path]?.entryPoint ?? ''))
	return Object.fromEntries(
		starts.map(path => {
			const files = [...closure(path, outputs)].flatMap(file => outputs[file] ?? [])
			const inputs = files.flatMap(file => Object.keys(file.inputs))
			const packages = new Set(inputs.flatMap(input => input.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []))
			return [outputs[path]?.entryPoint ?? path, { packages: [...packages], bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }]
		}),
	)
}

function closure(path: string, outputs: Metafile['outputs'], seen = new Set<string>()): Set<string> {
	if (seen.has(path)) return seen
	seen.add(path)
	for (const next of outputs[path]?.imports ?? []) if (next.kind !== 'dynamic-import') closure(next.path, outputs, seen)
	return seen
}

if (import.meta.main) {
	for (const [entry, bytes] of Object.entries(await bundle()))
		process.stdout.write(`${entry.padEnd(28)} ${(bytes / 1024).toFixed(0)} KiB\n`)
}
