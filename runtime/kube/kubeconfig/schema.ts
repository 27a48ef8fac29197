import * as z from 'zod'

/** One kubeconfig file, as kubectl decodes it: null and the empty string are treated as omitted, even in unused parts. Pure. */

const text = z
	.string()
	.nullish()
	.transform(value => value || undefined)
const flag = z
	.boolean()
	.nullish()
	.transform(value => value ?? false)
const texts = z
	.array(z.string().nullable())
	.nullish()
	.transform(list => (list ?? []).map(value => value ?? ''))

/** Base64 that Go also accepts; it may contain line breaks. */
const data = z
	.string()
	.nullish()
	.refine(
		value => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test((value ?? '').replace(/[\r\n]/g, '')),
		'must be base64',
	)
	.transform(value => (value ? Buffer.from(value, 'base64').toString('utf8') : undefined))

/** Data for other programs; `client.authentication.k8s.io/exec` is for exec plugins. */
const extensions = z
	.array(z.object({ name: text, extension: z.unknown() }).nullable())
	.nullish()
	.transform(list => new Map((list ?? []).map(one => [one?.name ?? '', one?.extension])))

export const Cluster = z.object({
	server: text,
	'certificate-authority': text,
	'certificate-authority-data': data,
	'insecure-skip-tls-verify': flag,
	'tls-server-name': text,
	'proxy-url': text,
	'disable-compression': flag,
	extensions,
})
export type Cluster = z.output<typeof Cluster>

/** An exec plugin, which prints credentials; `apiVersion` is the version of its output. */
export const Exec = z.object({
	apiVersion: text,
	command: text,
	args: texts,
	env: z
		.array(z.object({ name: text, value: z.string().nullish() }).nullable())
		.nullish()
		.transform(list => (list ?? []).map(one => ({ name: one?.name ?? '', value: one?.value ?? '' }))),
	installHint: text,
	provideClusterInfo: flag,
	interactiveMode: text,
})
export type Exec = z.output<typeof Exec>

export const User = z.object({
	token: text,
	tokenFile: text,
	'client-certificate': text,
	'client-certificate-data': data,
	'client-key': text,
	'client-key-data': data,
	username: text,
	password: text,
	as: text,
	'as-uid': text,
	'as-groups': texts,
	'as-user-extra': z
		.record(z.string(), texts)
		.nullish()
		.transform(value => value ?? {}),
	exec: Exec.nullish(),
	'auth-provider': z.object({ name: text, config: z.record(z.string(), z.string().nullable()).nullish() }).nullish(),
})
export type User = z.output<typeof User>

export const Context = z.object({ cluster: text, user: text, namespace: text })
export type Context = z.output<typeof Context>

export const Kubeconfig = z.object({
	apiVersion: z.enum(['v1', '']).nullish(),
	kind: z.enum(['Config', '']).nullish(),
	'current-context': text,
	clusters: byName(z.object({ name: text, cluster: Cluster.nullish() }), one => one.cluster ?? Cluster.parse({})),
	users: byName(z.object({ name: text, user: User.nullish() }), one => one.user ?? User.parse({})),
	contexts: byName(z.object({ name: text, context: Context.nullish() }), one => one.context ?? Context.parse({})),
})
export type Kubeconfig = z.output<typeof Kubeconfig>

/** Parses a list of entries with unique names into a map. */
function byName<Entry extends z.ZodType<{ name?: string | undefined }>, Part>(entry: Entry, partOf: (entry: z.output<Entry>) => Part) {
	return z
		.array(z.preprocess(one => one ?? {}, entry))
		.nullish()
		.transform((list, context) => {
			const parts = new Map<string, Part>()
			for (const one of list ?? []) {
				const { name = '' } = one as { name?: string }
				if (parts.has(name)) context.addIssue({ code: 'custom', message: `has two entries with the name "${name}"` })
				parts.set(name, partOf(one))
			}
			return parts
		})
}
