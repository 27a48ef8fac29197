import { faultsIn } from '../../faults.ts'
import { Kubeconfig } from './schema.ts'
import { type Chosen, currentContext, select } from './select.ts'
import { faultOf } from './usable.ts'
import { parseYaml } from './yaml.ts'
import { yamlFault } from './yaml-bounds.ts'
import { Failure } from '../../errors.ts'
import { serverUrl } from './address.ts'

/**
 * Reads a kubeconfig whose writer must not be able to run programs in this process or to read its files. All data must be inline. Pure.
 */

/** The cluster and the user of one context, with all data inline. */
export type InlineKubeconfig = Chosen

/** Limits of the text. A kubeconfig with one context has about 6 KiB and 150 tokens. */
const BOUNDS = { bytes: 262_144, depth: 16, tokens: 10_000 }

/** Maximum length of a fault (characters), because it may contain names from the kubeconfig. */
const FAULT_MAX = 300

/** @returns the selected context, or a sentence that names the first invalid field and contains no value */
export function readInlineKubeconfig(text: string, context?: string): { chosen: InlineKubeconfig } | { fault: string } {
	const config = parse(text)
	if ('fault' in config) return config
	const refused = outsideFault(config)
	if (refused) return { fault: refused.slice(0, FAULT_MAX) }
	const chosen = inContext(config, context)
	return 'fault' in chosen ? { fault: chosen.fault.slice(0, FAULT_MAX) } : chosen
}

function parse(text: string): Kubeconfig | { fault: string } {
	const unbounded = yamlFault(text, BOUNDS)
	if (unbounded) return { fault: unbounded }
	try {
		const parsed = Kubeconfig.safeParse(parseYaml(text) ?? {})
		return parsed.success ? parsed.data : { fault: faultsIn(parsed.error, { whole: 'it' }) }
	} catch (error) {
		return { fault: error instanceof SyntaxError ? `it is not YAML: ${error.message}` : 'it is not YAML' }
	}
}

/**
 * The fields that are allowed. A field that is added to the schema later stays refused until it is added here. A proxy is allowed, because
 * the writer already selects the server: the proxy sees only the TLS connection to that server.
 */
const allowed: Readonly<Record<'cluster' | 'user', ReadonlySet<string>>> = {
	cluster: new Set([
		'server',
		'certificate-authority-data',
		'insecure-skip-tls-verify',
		'tls-server-name',
		'proxy-url',
		'disable-compression',
		'extensions',
	]),
	user: new Set([
		'token',
		'client-certificate-data',
		'client-key-data',
		'username',
		'password',
		'as',
		'as-uid',
		'as-groups',
		'as-user-extra',
	]),
}

/** Checks all entries, not only those of the selected context, because another context may be selected later. */
function outsideFault({ clusters, users }: Kubeconfig): string | undefined {
	const entries = [...entriesOf('cluster', clusters), ...entriesOf('user', users)]
	const found = entries.find(({ kind, field, value }) => isSet(value) && !allowed[kind].has(field))
	return found && `${found.kind} ${found.name}: ${found.field} is not allowed here, use inline data`
}

function entriesOf(kind: 'cluster' | 'user', parts: ReadonlyMap<string, object>) {
	return [...parts].flatMap(([name, part]) =>
		Object.entries(part).map(([field, value]) => ({ kind, name, field, value: value as unknown })),
	)
}

function isSet(value: unknown): boolean {
	return value !== undefined && value !== null && value !== false
}

function inContext(config: Kubeconfig, wanted: string | undefined): { chosen: Chosen } | { fault: string } {
	const context = wanted ?? currentContext([config])
	if (context === undefined) return { fault: 'it has no current-context' }
	try {
		const chosen = select([config], context, 'it')
		const fault = faultOf(chosen) ?? plainHttp(chosen) ?? nobody(chosen)
		return fault ? { fault } : { chosen }
	} catch (error) {
		if (error instanceof Failure) return { fault: error.message }
		throw error
	}
}

/** Without TLS, the server cannot be verified, and the writer could make this process send requests to any HTTP service that it can reach. */
function plainHttp({ cluster: { name, server = '' } }: Chosen): string | undefined {
	return serverUrl(server)?.protocol === 'https:' ? undefined : `cluster ${name}: server must be an https URL`
}

function nobody({ user }: Chosen): string | undefined {
	return (user.token ?? user.username ?? user['client-certificate-data'])
		? undefined
		: `user ${user.name} has no token or client certificate`
}
