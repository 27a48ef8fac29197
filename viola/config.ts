import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as z from 'zod'
import { ListenAddress, readEnv } from '../runtime/env.ts'
import { wordsOf } from '../runtime/errors.ts'
import { type Clusters, parseClusters } from './routing.ts'

/** The environment of `node viola/main.ts`, without the variables for the access of clients (`runtime/auth/config.ts`). */
const Env = z.object({
	VIOLA_ADDR: ListenAddress.prefault(':8080').describe('Listen address; with port 0 a free port is chosen and logged'),
	VIOLA_CLUSTERS: z.string().transform(clustersIn).describe('File (YAML or JSON): provider id → { kubeconfig?, context?, namespace? }'),
})

export type Config = { host: string; port: number; clusters: Clusters }

/** @throws Failure CONFIG_INVALID that names the variable, or the file and its field */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const read = readEnv(Env, env)
	return { ...read.VIOLA_ADDR, clusters: read.VIOLA_CLUSTERS }
}

function clustersIn(path: string, context: z.RefinementCtx): Clusters {
	return told(context, path, () => parseClusters(parse(readFileSync(path, 'utf8'), { prettyErrors: false })))
}

function told<T>(context: z.RefinementCtx, path: string, read: () => T): T {
	try {
		return read()
	} catch (error) {
		const words = wordsOf(error)
		context.addIssue({ code: 'custom', message: words.includes(path) ? words : `${path}: ${words}` })
		return z.NEVER
	}
}
