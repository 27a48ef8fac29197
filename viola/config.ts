import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as z from 'zod'
import { ListenAddress, readEnv } from '../runtime/env.ts'
import { wordsOf } from '../runtime/errors.ts'
import { FixedToken, TokenFile, type TokenSource } from '../runtime/token-file.ts'
import { type Clusters, parseClusters } from './targets/routing.ts'

/**
 * The environment of `node viola/main.ts`. Either VIOLA_TOKEN or VIOLA_TOKEN_FILE is required: no client may configure nodes without
 * authentication.
 */
const Env = z
	.object({
		VIOLA_ADDR: ListenAddress.prefault(':8080').describe('Listen address; with port 0 a free port is chosen and logged'),
		VIOLA_TOKEN: FixedToken.optional().describe('Bearer token required from every request'),
		VIOLA_TOKEN_FILE: TokenFile.optional().describe('File with the token, such as a mounted Secret; read again when it changes'),
		VIOLA_CLUSTERS: z.string().transform(clustersIn).describe('File (YAML or JSON): provider id → { kubeconfig?, context?, namespace? }'),
	})
	.refine(env => env.VIOLA_TOKEN !== undefined || env.VIOLA_TOKEN_FILE !== undefined, {
		message: 'VIOLA_TOKEN or VIOLA_TOKEN_FILE is required: all requests must be authenticated',
		when: () => true, // also evaluated if another variable is invalid, so that all errors are reported together
	})

export type Config = { host: string; port: number; token: TokenSource; clusters: Clusters }

/** @throws Failure CONFIG_INVALID that names the variable, or the file and its field, and never contains the token */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const read = readEnv(Env, env)
	const token = read.VIOLA_TOKEN ?? read.VIOLA_TOKEN_FILE ?? fault('a token is required')
	return { ...read.VIOLA_ADDR, token, clusters: read.VIOLA_CLUSTERS }
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

function fault(message: string): never {
	throw new TypeError(message)
}
