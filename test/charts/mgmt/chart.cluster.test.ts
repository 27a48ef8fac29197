import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readFileSync } from 'node:fs'
import type { Manifest } from '../release.ts'
import { chart, helm, namespace, podOf, render, setJson, type Values, values } from './rendered.ts'

/** What the chart renders and what it refuses, with the real helm and without an API server. */

const components = ['mgmt', 'viola'] as const
const database = { 'database.host': 'db.example.com', 'database.secretName': 'account' }
const deployment = async (name: string, set: Values = {}) =>
	(await render(set)).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)?.spec as Record<string, unknown>

test('helm lint accepts the chart', async () => {
	expect((await helm('lint', '--strict', chart)).all).toContain('0 chart(s) failed')
})

test.each<[title: string, set: Values, said: string]>([
	['a second replica of mgmt with SQLite', { 'mgmt.replicas': 2 }, 'database.host'],
	['a namespace beside all namespaces', { 'mgmt.allNamespaces': true, 'mgmt.namespaces': ['a'] }, 'mgmt.namespaces'],
	['no viola and no endpoint of another', { 'viola.install': false }, 'viola.endpoint'],
	['MariaDB without a Secret', { 'database.host': 'db' }, 'database.secretName'],
	['a host with a port', { ...database, 'database.host': 'db:3306' }, 'database.host'],
	['a token beside auth: none', { 'viola.auth': 'none', 'viola.token.secretName': 'a' }, 'viola.token.secretName'],
	['clients beside auth: none', { 'inventory.auth': 'none', 'inventory.clients.secretName': 'a' }, 'inventory.clients.secretName'],
	['an unknown value', { 'mgmt.replica': 2 }, "additional properties 'replica' not allowed"],
	['a secret as a value', { 'database.password': 'x' }, "additional properties 'password' not allowed"],
	['another word than none', { 'viola.auth': 'off' }, 'viola.auth'],
	['another word than none for the inventory', { 'inventory.auth': 'false' }, 'inventory.auth'],
	['a duration without a unit', { 'viola.timeout': '30' }, 'viola.timeout'],
	['an endpoint with a password', { 'contrabass.endpoint': 'https://u:p@c.example.com' }, 'contrabass.endpoint'],
	['an endpoint of another scheme', { 'viola.endpoint': 'ftp://viola' }, 'viola.endpoint'],
	['a relative path of the database', { 'inventory.dbPath': 'inventory.db' }, 'inventory.dbPath'],
	['a database in a directory of the image', { 'inventory.dbPath': '/multinic/inventory.db' }, 'inventory.dbPath'],
	['a path with ..', { 'inventory.dbPath': '/var/lib/../inventory.db' }, 'inventory.dbPath'],
	['a key that is a path', { 'viola.token.key': '../token' }, 'viola.token.key'],
	['a port that needs privileges', { 'viola.port': 80 }, 'viola.port'],
	['a label that the chart sets', { 'mgmt.podLabels': { 'app.kubernetes.io/name': 'x' } }, 'mgmt.podLabels'],
	['a comma in a host', { 'mgmt.secretEndpointHosts': ['a,b'] }, 'mgmt.secretEndpointHosts'],
	['a provider list without ids', { 'mgmt.allowedProviders': { a: [] } }, 'mgmt.allowedProviders'],
	['a misspelled field of a peer', { 'networkPolicy.violaClients': [{ podSelecter: {} }] }, 'networkPolicy.violaClients'],
	['a peer that is empty', { 'networkPolicy.violaClients': [{}] }, 'networkPolicy.violaClients'],
	['a spread with a selector', { 'viola.topologySpreadConstraints': [{ labelSelector: {} }] }, 'viola.topologySpreadConstraints'],
	['a variable that the chart sets', { 'viola.extraEnv': [{ name: 'VIOLA_ADDR', value: ':1' }] }, 'VIOLA_ADDR is set by the chart'],
	['a variable twice', { 'mgmt.extraEnv': [{ name: 'A' }, { name: 'A' }] }, 'A is set by the chart'],
	['enabled=false outside an umbrella chart', { enabled: false }, "at '.enabled': value must be true"],
])('%s is refused, with the name of the field', async (_, set, said) => {
	const { all, exitCode } = await helm('template', 'm', chart, '-n', namespace, ...setJson(set))
	expect(exitCode).not.toBe(0)
	expect(all.replaceAll('/', '.')).toContain(said)
})

test('any value that is set to null is either optional or rejected with its name', async () => {
	const said = await Promise.all(everyPath(values).map(path => helm('template', 'm', chart, '-n', namespace, '--set', `${path}=null`)))
	const unclear = said.filter(
		({ exitCode, all }) => exitCode !== 0 && !/values don't meet the specifications|failed parsing --set/.test(all),
	)
	expect(unclear.map(({ all }) => all)).toEqual([])
	expect(said.filter(({ exitCode }) => exitCode === 0).length).toBeGreaterThan(10)
})

test('a cluster that is too old is rejected', async () => {
	const { all, exitCode } = await helm('template', 'm', chart, '--kube-version', '1.31.9')
	expect(exitCode).not.toBe(0)
	expect(all).toContain('requires kubeVersion: >=1.32.0-0')
})

test('no object has the name of an object of the chart for biz clusters, so both can be in one namespace', async () => {
	const named = ({ kind, metadata }: Manifest) => `${kind}/${metadata.name}`
	const everything = await render({ 'networkPolicy.enabled': true, 'monitoring.enabled': true, 'mgmt.replicas': 2, ...database })
	const { all } = await helm('template', 'm', 'charts/multinic', '--set', 'monitoring.enabled=true,dashboards.enabled=true')
	const others = new Set([...all.matchAll(/^kind: (\w+)\nmetadata:\n {2}name: (\S+)/gm)].map(([, kind, name]) => `${kind}/${name}`))
	expect(others.size).toBeGreaterThan(20)
	expect(everything.map(named).filter(name => others.has(name))).toEqual([])
})

test('the services have the names and ports of the seeds, and lead to a port of a container', async () => {
	const objects = await render()
	const services = objects.filter(({ kind }) => kind === 'Service') as (Manifest & {
		spec: { ports: { port: number; targetPort: string }[] }
	})[]
	expect(services.map(({ metadata, spec }) => [metadata.name, spec.ports[0]?.port, spec.ports[0]?.targetPort])).toEqual([
		['viola-api', 80, 'http'],
		['multinic-operator-inventory-service', 18081, 'inventory'],
	])
	const ports = components.flatMap(component => podOf(objects, component).spec.containers[0].ports.map(({ name }) => name))
	for (const { spec } of services) expect(ports).toContain(spec.ports[0]?.targetPort)
})

test.each<[title: string, set: Values, endpoint: string]>([
	['the Service', {}, 'http://viola-api.multinic-mgmt.svc'],
	['the Service with TLS', { 'viola.tls.secretName': 'a' }, 'https://viola-api.multinic-mgmt.svc'],
	['the Service with another port', { 'viola.servicePort': 8443, 'viola.tls.secretName': 'a' }, 'https://viola-api.multinic-mgmt.svc:8443'],
	['another viola', { 'viola.install': false, 'viola.endpoint': 'https://v.example.com' }, 'https://v.example.com'],
])('mgmt uses %s', async (_, set, endpoint) => {
	const { env } = podOf(await render(set), 'mgmt').spec.containers[0]
	expect(env.find(({ name }) => name === 'VIOLA_ENDPOINT')?.value).toBe(endpoint)
})

test.each<[title: string, set: Values, strategy: object]>([
	['SQLite: the old pod ends first', {}, { type: 'Recreate' }],
	['MariaDB: no interruption', database, { type: 'RollingUpdate' }],
	['no inventory', { 'inventory.enabled': false }, { type: 'RollingUpdate' }],
])('mgmt is replaced as its database allows. %s', async (_, set, strategy) => {
	expect((await deployment('multinic-mgmt', set)).strategy).toEqual(strategy)
})

test('viola is replaced without a moment with fewer pods', async () => {
	const { strategy, replicas } = await deployment('multinic-viola')
	expect([replicas, strategy]).toEqual([2, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }])
})

test.each<[title: string, set: Values, claims: string[], volume: object | undefined]>([
	['a claim of the chart', {}, ['multinic-inventory'], { persistentVolumeClaim: { claimName: 'multinic-inventory' } }],
	['a claim that exists', { 'inventory.persistence.existingClaim': 'mine' }, [], { persistentVolumeClaim: { claimName: 'mine' } }],
	['an emptyDir, only if it is requested', { 'inventory.persistence.enabled': false }, [], { emptyDir: {} }],
	['no volume with MariaDB', database, [], undefined],
	['no volume without an inventory', { 'inventory.enabled': false }, [], undefined],
])('the inventory is stored in %s', async (_, set, claims, volume) => {
	const objects = await render(set)
	expect(objects.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(({ metadata }) => metadata.name)).toEqual(claims)
	const found = podOf(objects, 'mgmt').spec.volumes?.find(({ name }) => name === 'inventory')
	expect(found).toEqual(volume && { name: 'inventory', ...volume })
})

test('the claim survives helm, Argo CD and Flux, and is mounted where the file is', async () => {
	const objects = await render({ 'inventory.dbPath': '/data/sub/file.db' })
	const claim = objects.find(({ kind }) => kind === 'PersistentVolumeClaim') as Manifest & { metadata: { annotations: object } }
	expect(claim.metadata.annotations).toEqual({
		'helm.sh/resource-policy': 'keep',
		'argocd.argoproj.io/sync-options': 'Prune=false',
		'kustomize.toolkit.fluxcd.io/prune': 'disabled',
	})
	const mounts = podOf(objects, 'mgmt').spec.containers[0].volumeMounts
	expect(mounts?.find(({ name }) => name === 'inventory')).toEqual({ name: 'inventory', mountPath: '/data/sub' })
	expect(mounts?.filter(({ readOnly }) => !readOnly).map(({ name }) => name)).toEqual(['inventory'])
})

test('viola has a token only if it calls the API server of this cluster', async () => {
	const automounted = async (set: Values) => podOf(await render(set), 'viola').spec.automountServiceAccountToken
	expect(await automounted({})).toBe(true)
	expect(await automounted({ 'viola.targetSecrets': false, 'viola.kubernetesTokens': false })).toBe(false)
})

test('the probes and the PodMonitor of viola use HTTPS with TLS', async () => {
	const objects = await render({ 'viola.tls.secretName': 'a', 'monitoring.enabled': true })
	const [{ livenessProbe, readinessProbe }] = podOf(objects, 'viola').spec.containers
	expect([livenessProbe.httpGet.scheme, readinessProbe.httpGet.scheme]).toEqual(['HTTPS', 'HTTPS'])
	const monitors = objects.filter(({ kind }) => kind === 'PodMonitor').map(one => JSON.stringify(one))
	expect(monitors.map(text => text.includes('"scheme":"https"'))).toEqual([false, true])
})

test('the alerts are those of the file, with the prefix of the runbooks', async () => {
	const objects = await render({ 'monitoring.enabled': true, 'monitoring.runbookBaseUrl': 'https://git.example.com/main/' })
	const rule = objects.find(({ kind }) => kind === 'PrometheusRule')
	const text = readFileSync(`${chart}/rules/multinic-mgmt.yaml`, 'utf8')
	const wanted = parse(text.replaceAll('runbook_url: docs/', 'runbook_url: https://git.example.com/main/docs/')) as object
	expect(rule?.spec).toEqual(wanted)
	const without = await render({ 'monitoring.enabled': true, 'inventory.enabled': false })
	expect(JSON.stringify(without)).not.toContain('MultinicInventoryUnavailable')
})

test('every way to place and label pods reaches both components', async () => {
	const settings = {
		nodeSelector: { zone: 'a' },
		tolerations: [{ key: 'a', operator: 'Exists' }],
		affinity: { podAntiAffinity: {} },
		priorityClassName: 'system-cluster-critical',
	}
	for (const component of components) {
		const set = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${component}.${name}`, value]))
		const more = {
			[`${component}.podLabels`]: { team: 'net' },
			[`${component}.podAnnotations`]: { a: 'b' },
			imagePullSecrets: [{ name: 'pull' }],
		}
		const { metadata, spec } = podOf(await render({ ...set, ...more }), component)
		expect(spec).toMatchObject({ ...settings, imagePullSecrets: [{ name: 'pull' }] })
		expect([metadata.labels.team, metadata.annotations]).toEqual(['net', { a: 'b' }])
	}
})

function everyPath(of: object, at = ''): string[] {
	return Object.entries(of).flatMap(([key, value]: [string, unknown]) => {
		const path = `${at}${key.replaceAll('.', '\\.')}`
		const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value)
		return isBranch ? [path, ...everyPath(value, `${path}.`)] : [path]
	})
}
