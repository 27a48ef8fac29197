import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { monitoringPackages, unpackPackages } from '../../lab/base/packages.ts'

/** Checks rules and queries with promtool(1) of Prometheus, unpacked and not installed. */

export type Promtool = (args: readonly string[], input?: string) => Promise<{ exitCode: number | undefined; all: string }>

/** Downloads promtool if it is missing. */
export async function findPromtool(): Promise<Promtool> {
	const { env } = await unpackPackages(monitoringPackages)
	return async (args, input = '') => {
		const { exitCode, all = '' } = await execa('promtool', args, { env, input, reject: false, all: true })
		return { exitCode, all }
	}
}

/** Calls `use` with the path of a file that contains this as YAML, and removes it afterwards. */
export async function asYaml<T>(content: object, use: (path: string) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), 'multinic-promtool-'))
	try {
		const path = join(folder, 'file.yaml')
		await writeFile(path, stringify(content))
		return await use(path)
	} finally {
		await rm(folder, { recursive: true })
	}
}
