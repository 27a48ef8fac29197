import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { parse } from 'yaml'
import { findKit } from '../../../lab/kit/kit.ts'
import { type Manifest, manifests } from '../release.ts'

/** The chart of the MGMT side, rendered by the real helm. It needs no API server. */
export const chart = 'charts/multinic-mgmt'
export const namespace = 'multinic-mgmt'

/** The default values. */
export const values = parse(readFileSync(`${chart}/values.yaml`, 'utf8')) as Record<string, unknown>

export type Values = Readonly<Record<string, unknown>>

/** @param set value → any JSON: {'mgmt.replicas': 2} */
export function render(set: Values = {}): Promise<Manifest[]> {
	const key = JSON.stringify(set)
	const made = done.get(key) ?? renderOnce(set)
	done.set(key, made)
	return made
}

/** A rendering takes longer than everything that a test does with it. */
const done = new Map<string, Promise<Manifest[]>>()

async function renderOnce(set: Values): Promise<Manifest[]> {
	const { all, exitCode } = await helm('template', 'm', chart, '-n', namespace, ...setJson(set))
	if (exitCode !== 0) throw new Error(all)
	return manifests(all)
}

/** Output and exit code of helm. */
export async function helm(...args: string[]): Promise<{ all: string; exitCode: number | undefined }> {
	const { helm } = await findKit(['helm'])
	const { all = '', exitCode } = await execa(helm, args, { reject: false, all: true })
	return { all, exitCode }
}

/** Returns arguments of helm that set these values. */
export function setJson(set: Values): string[] {
	return Object.entries(set).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`])
}

type Variable = { name: string; value?: string; valueFrom?: object }
export type Container = {
	name: string
	args: string[]
	env: Variable[]
	ports: { name: string; containerPort: number }[]
	livenessProbe: { httpGet: { port: string; scheme?: string } }
	readinessProbe: { httpGet: { port: string; scheme?: string } }
	volumeMounts?: { name: string; mountPath: string; readOnly?: true }[]
}
export type Pod = {
	metadata: { labels: Record<string, string>; annotations?: Record<string, string> }
	spec: { containers: [Container]; volumes?: { name: string }[]; serviceAccountName: string; automountServiceAccountToken?: boolean }
}

/** The pod of a Deployment: `mgmt` or `viola`. */
export function podOf(objects: readonly Manifest[], component: 'mgmt' | 'viola'): Pod {
	const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `multinic-${component}`)
	if (!deployment) throw new Error(`the chart renders no Deployment of ${component}`)
	return (deployment.spec as { template: Pod }).template
}

/** The variables of a component; one from a Secret is the JSON of its reference. */
export function envOf(objects: readonly Manifest[], component: 'mgmt' | 'viola'): Record<string, string> {
	const [{ env }] = podOf(objects, component).spec.containers
	return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, value ?? JSON.stringify(valueFrom)]))
}
