import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as z from 'zod'
import { ListenAddress, readEnv } from '../runtime/env.ts'
import { Failure, wordsOf } from '../runtime/errors.ts'
import { type Clusters, parseClusters } from './routing.ts'

/** The environment of `node viola/main.ts`. One of VIOLA_TOKEN and VIOLA_TOKEN_FILE is needed: nobody may configure nodes unasked. */
const Env = z
	.object({
		VIOLA_ADDR: ListenAddress.prefault(':8080').describe('Where it listens; 127.0.0.1:0 takes a free port and says which in the log'),
		VIOLA_TOKEN: z.string().min(1).optional().describe('Bearer token that every request must bring'),
		VIOLA_TOKEN_FILE: z.string().optional().describe('File that holds the token, such as a mounted Secret'),
		VIOLA_CLUSTERS: z.string().describe('File (YAML or JSON): provider id → { kubeconfig?, context?, namespace? }'),
	})
	.refine(env => env.VIOLA_TOKEN !== undefined || env.VIOLA_TOKEN_FILE !== undefined, {
		message: 'VIOLA_TOKEN or VIOLA_TOKEN_FILE is required: requests without a bearer token are never answered',
	})

export type Config = { host: string; port: number; token: string; clusters: Clusters }

/** @throws Failure CONFIG_INVALID naming the variable, or the file and its field; never the token */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const read = readEnv(Env, env)
	const token = read.VIOLA_TOKEN ?? fileText('VIOLA_TOKEN_FILE', read.VIOLA_TOKEN_FILE ?? '').trim()
	if (token === '') throw new Failure('CONFIG_INVALID', `VIOLA_TOKEN_FILE: ${read.VIOLA_TOKEN_FILE} is empty`)
	return { ...read.VIOLA_ADDR, token, clusters: readClusters(read.VIOLA_CLUSTERS) }
}

function readClusters(path: string): Clusters {
	try {
		return parseClusters(parse(fileText('VIOLA_CLUSTERS', path)))
	} catch (error) {
		if (error instanceof Failure) throw error
		throw new Failure('CONFIG_INVALID', `VIOLA_CLUSTERS: ${path}: ${wordsOf(error)}`)
	}
}

function fileText(variable: string, path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (error) {
		throw new Failure('CONFIG_INVALID', `${variable}: ${wordsOf(error)}`)
	}
}
