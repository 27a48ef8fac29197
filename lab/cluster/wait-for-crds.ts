import { setTimeout as sleep } from 'node:timers/promises'
import { CustomResourceDefinition, type KubeClient } from '../../runtime/kube/index.ts'

/** The fields of a CRD that the wait reads. Both the `Crd` of `contract/` and the `spec` of a manifest have them. */
export type Served = { group: string; names: { plural: string }; versions: readonly { name: string }[] }

type Reader = Pick<KubeClient, 'find' | 'raw'>
type WaitOptions = { withinMs?: number; everyMs?: number }
type Discovery = { items?: { metadata?: { name?: string }; versions?: { version: string; resources?: { resource: string }[] }[] }[] }

/**
 * Waits until an API server serves these CRDs and kubectl finds them. Use it after every apply of a CRD, instead of `kubectl wait
 * --for=condition=Established`. That command fails with "accessor error" if it reads the CRD before the API server has written the first
 * status (`conditions: null`), and discovery may lack a CRD for a moment after it is established.
 *
 * @throws Error after `withinMs` (default 2 minutes), which names the CRD and what is still missing
 */
export async function waitForCrds(
	client: Reader,
	crds: readonly Served[],
	{ withinMs = 120_000, everyMs = 50 }: WaitOptions = {},
): Promise<void> {
	const deadline = performance.now() + withinMs
	for (const crd of crds) {
		for (let lack = await lackOf(client, crd); lack !== undefined; lack = await lackOf(client, crd)) {
			if (performance.now() > deadline) throw new Error(timeoutMessage(crd, lack, withinMs))
			await sleep(everyMs)
		}
	}
}

/** @returns what is still missing, as part of a sentence; undefined if nothing is missing */
async function lackOf(client: Reader, crd: Served): Promise<string | undefined> {
	const object = await client.find(CustomResourceDefinition, { name: nameOf(crd) })
	if (!object) return 'there is no such CRD'
	return lackInStatus(object) ?? lackInDiscovery(await discovery(client), crd)
}

function lackInStatus({ status }: CustomResourceDefinition): string | undefined {
	const conditions = status?.conditions ?? []
	if (conditions.length === 0) return 'the API server has not written its status yet'
	const isTrue = (type: string) => conditions.some(one => one.type === type && one.status === 'True')
	if (isTrue('Established')) return undefined
	const said = conditions.filter(one => one.status !== 'True').map(({ type, status, message }) => `${type} is ${status}: ${message}`)
	return said.length === 0 ? 'it has no condition Established yet' : said.join('; ')
}

function lackInDiscovery({ items = [] }: Discovery, { group, names, versions }: Served): string | undefined {
	const found = items.find(({ metadata }) => metadata?.name === group)?.versions ?? []
	const lists = (name: string) => found.some(({ version, resources = [] }) => version === name && resources.some(isOf(names.plural)))
	const absent = versions.find(({ name }) => !lists(name))
	return absent && `discovery does not list ${group}/${absent.name} ${names.plural} yet`
}

function isOf(plural: string) {
	return ({ resource }: { resource: string }) => resource === plural
}

/**
 * Reads discovery in the format that kubectl uses. @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
async function discovery(client: Reader): Promise<Discovery> {
	const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
	return (await client.raw({ method: 'GET', path: '/apis', accept })) as Discovery
}

function timeoutMessage(crd: Served, lack: string, withinMs: number): string {
	return `CRD ${nameOf(crd)} was not served within ${withinMs / 1000} s: ${lack}. \`kubectl get crd ${nameOf(crd)} -o yaml\` shows its status`
}

function nameOf({ group, names }: Served): string {
	return `${names.plural}.${group}`
}
