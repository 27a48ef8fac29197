import { vi } from 'vitest'
import type { KubeClient } from '../../../runtime/kube/client.ts'
import type { Credentials } from '../../../runtime/kube/kubeconfig/credentials.ts'
import { collectionPath, defineKind, type Kind, type KubeObject } from '../../../runtime/kube/kind.ts'
import { type ConfigMap, CustomResourceDefinition, Namespace } from '../../../runtime/kube/kinds.ts'
import { createTransport } from '../../../runtime/kube/transport.ts'

/** An API server on which the client has all permissions. It is empty except for the objects that it creates itself. */
export type ApiUnderTest = { client: KubeClient; credentials: Credentials }

let made = 0

/** Returns a name that is not in use. */
export function freshName(): string {
	return `case-${++made}-${Date.now().toString(36)}`
}

/** Creates a namespace for one case. */
export async function freshNamespace({ client }: ApiUnderTest): Promise<string> {
	const name = freshName()
	await client.create(Namespace, { metadata: { name } })
	return name
}

export function configMap(
	namespace: string,
	name: string,
	data: Record<string, string> = {},
	labels: Record<string, string> = {},
): ConfigMap {
	return { metadata: { namespace, name, labels }, data }
}

export type Gadget = KubeObject & { spec?: { size?: number; parts?: string[] }; status?: { seen?: number } }

/** A custom resource with a status subresource. */
export const Gadget = defineKind<Gadget>({ group: 'test.example.org', version: 'v1', plural: 'gadgets', kind: 'Gadget', namespaced: true })

const spec = { type: 'object', properties: { size: { type: 'integer' }, parts: { type: 'array', items: { type: 'string' } } } }
const status = { type: 'object', properties: { seen: { type: 'integer' } } }

/** Defines Gadget, and waits until it is served. */
export async function serveGadgets({ client }: ApiUnderTest): Promise<void> {
	const version = {
		...{ name: 'v1', served: true, storage: true, subresources: { status: {} } },
		schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } },
	}
	await client.create(CustomResourceDefinition, {
		metadata: { name: `${Gadget.plural}.${Gadget.group}` },
		spec: { group: Gadget.group, scope: 'Namespaced', names: { plural: Gadget.plural, kind: Gadget.kind }, versions: [version] },
	})
	const probe = { metadata: { name: 'probe', namespace: 'default' } }
	await vi.waitFor(() => client.create(Gadget, probe, { dryRun: true }), { timeout: 120_000 })
}

export type RawEvent = { type: string; object: { metadata: Record<string, unknown>; data?: Record<string, string>; code?: number } }

/** Returns the lines of a watch with a query that KubeClient never sends, as soon as `isEnough` accepts them. */
export async function rawWatch(
	{ credentials }: ApiUnderTest,
	{ kind, namespace, query }: { kind: Kind; namespace: string; query: Record<string, string | number | boolean> },
	isEnough: (events: readonly RawEvent[]) => boolean,
): Promise<RawEvent[]> {
	const transport = createTransport(credentials, {})
	const end = new AbortController()
	const path = collectionPath(kind, namespace)
	try {
		const { bytes } = await transport.open({ method: 'GET', path, query: { watch: true, ...query }, signal: end.signal })
		let text = ''
		for await (const chunk of bytes) {
			text += Buffer.from(chunk).toString('utf8')
			const events = text
				.split('\n')
				.slice(0, -1)
				.map(line => JSON.parse(line) as RawEvent)
			if (isEnough(events)) return events
		}
		throw new Error(`the watch ended after ${text}`)
	} finally {
		end.abort()
		await transport.close()
	}
}
