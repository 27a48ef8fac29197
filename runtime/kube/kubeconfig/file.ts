import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { codeOf, Failure } from '../../errors.ts'
import { faultsIn } from '../../faults.ts'
import { Kubeconfig } from './schema.ts'
import { parseYaml } from './yaml.ts'

/**
 * Reads one kubeconfig file. Relative paths in it are resolved against its directory.
 *
 * @returns undefined if the file does not exist
 * @throws Failure CONFIG_INVALID with the file and the invalid field, never a value
 */
export async function readKubeconfig(path: string): Promise<Kubeconfig | undefined> {
	const bytes = await readFile(path).catch((cause: unknown) => {
		if (codeOf(cause) === 'ENOENT') return undefined
		throw new Failure('CONFIG_INVALID', `kubeconfig ${path} cannot be read`, { cause })
	})
	if (!bytes) return undefined
	const parsed = Kubeconfig.safeParse(contentOf(path, textOf(bytes)) ?? {})
	if (!parsed.success) throw new Failure('CONFIG_INVALID', `kubeconfig ${path}: ${faultsIn(parsed.error, { whole: 'it' })}`)
	return absolutePaths(parsed.data, resolve(dirname(path)))
}

/** Decodes UTF-8, or the encoding of the byte order mark: PowerShell writes UTF-16. */
function textOf(bytes: Buffer): string {
	const [first, second] = bytes
	const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
	return new TextDecoder(encoding).decode(bytes)
}

function contentOf(path: string, text: string): unknown {
	try {
		return parseYaml(text)
	} catch (error) {
		if (error instanceof SyntaxError) throw new Failure('CONFIG_INVALID', `kubeconfig ${path} is not YAML: ${error.message}`)
		throw new Failure('CONFIG_INVALID', `kubeconfig ${path} is not YAML`) // an alias without its anchor, or too many aliases
	}
}

function absolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
	const absolute = (path: string | undefined) => (path === undefined || isAbsolute(path) ? path : join(folder, path))
	for (const cluster of config.clusters.values()) cluster['certificate-authority'] = absolute(cluster['certificate-authority'])
	for (const user of config.users.values()) {
		for (const name of ['client-certificate', 'client-key', 'tokenFile'] as const) user[name] = absolute(user[name])
		// a bare name is looked up in PATH
		if (user.exec?.command?.includes('/')) user.exec.command = absolute(user.exec.command)
	}
	return config
}
