import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Failure } from '../errors.ts'
import type { Credentials } from './kubeconfig/credentials.ts'
import { inClusterCredentials, mount } from './in-cluster.ts'
import { credentialsOf } from './load-kubeconfig.ts'
import { readKubeconfig } from './kubeconfig/file.ts'
import type { InlineKubeconfig } from './kubeconfig/inline.ts'
import type { Kubeconfig } from './kubeconfig/schema.ts'
import { currentContext, select } from './kubeconfig/select.ts'
import { proxyFor } from './proxy.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type Wanted = {
	/** Path of one file, which must exist. */
	kubeconfig?: string
	/** Default: the current context of the kubeconfig. */
	context?: string
}

/**
 * Loads the credentials of a server process from, in order: the kubeconfig given by option or KUBECONFIG; `~/.kube/config` if a context is
 * given; the pod's ServiceAccount; `~/.kube/config`.
 *
 * @throws Failure CONFIG_INVALID with the file and the invalid field, never a secret
 */
export async function loadCredentials(wanted: Wanted, env: Environment): Promise<Credentials> {
	const named = wanted.kubeconfig || wanted.context || env.KUBECONFIG
	if (!named && env.KUBERNETES_SERVICE_HOST) return inClusterCredentials(env)
	const found = await readFiles(wanted, env)
	const context = wanted.context || currentContext(found.files)
	if (context === undefined) throw noContext(found)
	return inContext(found, context, env)
}

/**
 * Loads credentials as kubectl does, even inside a pod: from the given context of the kubeconfig, otherwise from its current context. The
 * pod's ServiceAccount is used only if no kubeconfig has a current context.
 *
 * @param folder directory where a pod's token is mounted
 * @throws Failure CONFIG_INVALID with the file and the invalid field, never a secret
 */
export async function loadAsKubectl(wanted: Wanted, env: Environment, folder = mount): Promise<Credentials> {
	const found = await readFiles(wanted, env)
	const context = wanted.context || currentContext(found.files)
	if (context !== undefined) return inContext(found, context, env)
	if (!(await isInPod(env, folder))) throw noContext(found)
	const credentials = await inClusterCredentials(env, folder)
	const proxy = proxyFor(credentials.server, env)
	return { ...credentials, ...(proxy && { proxy }) }
}

/**
 * Loads the credentials of a kubeconfig from an untrusted writer, as `readInlineKubeconfig` returns it. No file is read and no program is
 * run; a proxy in the environment is used.
 *
 * @param where name of the kubeconfig in messages
 * @throws Failure CONFIG_INVALID with the field, never a value, if a certificate or key is invalid
 */
export function loadInlineCredentials(kubeconfig: InlineKubeconfig, where: string, env: Environment): Promise<Credentials> {
	return credentialsOf(kubeconfig, where, env)
}

/** The files that were read, and their name in messages. */
type Found = { files: Kubeconfig[]; where: string }

async function readFiles({ kubeconfig }: Wanted, env: Environment): Promise<Found> {
	if (kubeconfig) {
		const file = await readKubeconfig(kubeconfig)
		const where = `kubeconfig ${kubeconfig}`
		if (!file) throw notThere(where)
		return { files: [file], where }
	}
	const paths = env.KUBECONFIG ? env.KUBECONFIG.split(delimiter).filter(Boolean) : [join(env.HOME ?? homedir(), '.kube', 'config')]
	const files = await Promise.all(paths.map(readKubeconfig))
	return { files: files.filter(file => file !== undefined), where: `kubeconfig ${paths.join(delimiter)}` }
}

function inContext({ files, where }: Found, context: string, env: Environment): Promise<Credentials> {
	if (files.length === 0) throw notThere(where)
	return credentialsOf(select(files, context, where), where, env)
}

async function isInPod(env: Environment, folder: string): Promise<boolean> {
	if (!env.KUBERNETES_SERVICE_HOST || !env.KUBERNETES_SERVICE_PORT) return false
	return stat(`${folder}/token`).then(
		found => !found.isDirectory(),
		() => false,
	)
}

function noContext({ files, where }: Found): Failure {
	return files.length === 0 ? notThere(where) : new Failure('CONFIG_INVALID', `${where} has no current-context`)
}

function notThere(where: string): Failure {
	return new Failure('CONFIG_INVALID', `${where} cannot be read: there is no such file`)
}
