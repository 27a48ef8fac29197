import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probePackages, unpackPackages } from '../../lab/base/packages.ts'

/**
 * How probes of a host behave. `real`: they run the real programs with the timeouts of any node. `silent`: no other host replies, and each
 * probe ends immediately, so that tests do not wait for the timeout.
 */
export type Wire = 'real' | 'silent'

/** The directory that the agent searches first for programs. In the namespaces of a host, it contains the programs of the test. */
export const PROGRAMS_FOLDER = '/usr/local/sbin'

/** Writes the programs that the agent's image calls for its probes into `folder`. */
export async function putProbePrograms(folder: string, wire: Wire): Promise<void> {
	mkdirSync(folder)
	for (const program of ['arping', 'ping'] as const) {
		const script = wire === 'real' ? await realProgram(program) : silence[program]
		writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`)
		chmodSync(join(folder, program), 0o755)
	}
}

/** Mimics their output and exit status without a reply. */
const silence = { arping: 'for ip; do :; done; echo "ARPING $ip from 0.0.0.0"', ping: 'echo "PING"; exit 1' }

let unpacked: ReturnType<typeof unpackPackages> | undefined

async function realProgram(program: string): Promise<string> {
	unpacked ??= unpackPackages(probePackages)
	const { PATH = '', LD_LIBRARY_PATH = '' } = (await unpacked).env
	const path = PATH.split(':')
		.filter(folder => folder && folder !== PROGRAMS_FOLDER)
		.map(folder => join(folder, program))
		.find(isProgram)
	if (path === undefined) throw new Error(`${program} was not found`)
	return `LD_LIBRARY_PATH=${LD_LIBRARY_PATH} exec ${path} "$@"`
}

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK)
		return true
	} catch {
		return false
	}
}
