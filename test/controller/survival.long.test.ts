import { describe, expect, onTestFinished, test } from 'vitest'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { inParallel } from '../../runtime/in-parallel.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { CustomResourceDefinition } from '../../runtime/kube/kinds.ts'
import { add, type HardTime, soon, startWorld, story, type World, type WorldOptions } from './hard-times.ts'
import { connect, namespace } from './plane.ts'

/** Faults that only a real etcd and API server can cause. */

const flowControl = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1', namespaced: false }
const FlowSchema = defineKind<KubeObject & { spec: object }>({ ...flowControl, plural: 'flowschemas', kind: 'FlowSchema' })
const PriorityLevel = defineKind<KubeObject & { spec: object }>({
	...{ ...flowControl, plural: 'prioritylevelconfigurations', kind: 'PriorityLevelConfiguration' },
})
type CrdVersion = CustomResourceDefinition['spec']['versions'][number]
const fullEtcd = { etcd: { 'quota-backend-bytes': String(33_554_432) } }

const etcdIsFull: HardTime = async ({ etcd, gate, heard }, change) => {
	expect(await etcd.fill()).toBeGreaterThan(5)
	gate.open()
	const changed = change()
	await soon(() => expect(heard(/database space exceeded/)).toBeGreaterThan(10))
	await etcd.makeRoom()
	await changed
}

const serverIsKilled: HardTime = async ({ plane, gate, heard }, change) => {
	gate.open()
	await plane.killServer()
	const changed = change()
	await soon(() => expect(heard(/cannot be reached/)).toBeGreaterThan(10))
	await plane.startServer()
	await changed
}

/** Cuts the controller's watches. Before they can be reopened, etcd and the API server discard the events that the controller missed. */
const etcdIsCompacted: HardTime = async (world, change) => {
	await missAll(world, change)
	await world.etcd.compact()
	await world.plane.killServer()
	await world.plane.startServer()
	await hearThatItIsTooOld(world)
}

/** The same fault, but reported by etcd, because the API server has no watch cache for the kind. */
const onlyEtcdRemembers: HardTime = async (world, change) => {
	await missAll(world, change)
	await world.etcd.compact()
	await hearThatItIsTooOld(world)
}

async function missAll({ line, gate, heard }: World, change: () => Promise<unknown>): Promise<void> {
	line.cut()
	await change()
	gate.open()
	await soon(() => expect(heard(/list or watch failed/)).toBeGreaterThan(5))
}

function hearThatItIsTooOld({ line, heard }: World): Promise<void> {
	line.mend()
	return soon(() => expect(heard(/"type":"EXPIRED"/)).toBeGreaterThanOrEqual(3))
}

const serverIsBusy: HardTime = async ({ admin, plane, gate, calls }, change) => {
	const shares = {
		type: 'Limited',
		limited: { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
	}
	const user = `system:serviceaccount:${namespace}:multinic-controller`
	const everything = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }]
	await admin.create(PriorityLevel, { metadata: { name: 'nothing' }, spec: shares })
	await admin.create(FlowSchema, {
		metadata: { name: 'nothing' },
		spec: {
			...{ matchingPrecedence: 2, priorityLevelConfiguration: { name: 'nothing' } },
			rules: [{ subjects: [{ kind: 'User', user: { name: user } }], resourceRules: everything }],
		},
	})
	// the API server applies its own flow control settings with a delay; with them, it lets one request at a time pass
	const asController = connect({ port: plane.port, ...plane.credentials }, { fieldManager: 'test' })
	onTestFinished(() => asController.close())
	const crowd = () => Promise.all(Array.from({ length: 20 }, () => asController.list(NodeConfig, { namespace })))
	await soon(() => expect(crowd()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' }))
	gate.open()
	const changed = change()
	await changed
	// the number depends on how many requests happened to be concurrent
	expect(calls('429')).toBeGreaterThanOrEqual(3)
	await admin.delete(FlowSchema, { name: 'nothing' })
}

/** A firewall loses the state of the open connections: none is closed, but no more data arrives. */
const lineIsForgotten: HardTime = async ({ line, gate, heard }, change) => {
	line.forget()
	gate.open()
	await change()
	await soon(() => expect(heard(/watch idle, reconnecting/)).toBeGreaterThanOrEqual(5))
}

/** A new controller reads everything from the start while data arrives byte by byte. */
const lineTrickles: HardTime = async ({ line, gate, startController }, change) => {
	line.trickle(true)
	const before = line.carried
	const { isSynced } = startController()
	gate.open()
	await change()
	await soon(() => expect(isSynced()).toBe(true))
	expect(line.carried - before).toBeGreaterThan(20_000)
}

/**
 * Upgrades the CRD and partly reverts it: makes another version the storage version, adds a field and a column, then makes the original
 * version the storage version again and stops serving the other one.
 */
const crdIsUpgraded: HardTime = async ({ admin, gate }, change) => {
	const rewrite = async (how: (version: CrdVersion) => Partial<CrdVersion>) => {
		const crd = await admin.get(CustomResourceDefinition, { name: 'multinicnodeconfigs.multinic.io' })
		const versions = crd.spec.versions.map(version => ({ ...version, ...how(version) }))
		return admin.replace(CustomResourceDefinition, { ...crd, spec: { ...crd.spec, versions } })
	}
	await rewrite(({ name }) => ({ storage: name === 'v1alpha1' }))
	await change()
	await rewrite(version => withField(version, 'remark'))
	const patch = { spec: { remark: 'new' } }
	await soon(() => admin.patch(NodeConfig, { name: 'a', namespace }, patch, { dryRun: true }))
	gate.open()
	await rewrite(({ name }) => ({ storage: name === 'v1', served: name === 'v1' }))
	const old = { method: 'GET', path: '/apis/multinic.io/v1alpha1/multinicnodeconfigs' } as const
	await soon(() => expect(admin.raw(old)).rejects.toMatchObject({ code: 'NOT_FOUND' }))
}

/** The controller's clock was five hours ahead; its successor's clock is five hours behind. */
const clockIsSetBack: HardTime = async ({ line, gate, startController }, change) => {
	gate.open()
	await change()
	startController(line, clock(-5))
}

const goOn: HardTime = ({ gate }, change) => {
	gate.open()
	return change()
}

function clock(hoursAhead: number): () => number {
	return () => Date.now() + hoursAhead * 3_600_000
}

function withField(version: CrdVersion, field: string): Partial<CrdVersion> {
	const schema = structuredClone(version.schema)
	const { spec } = schema?.openAPIV3Schema?.properties ?? {}
	if (spec?.properties) spec.properties[field] = { type: 'string' }
	const column = { name: 'Remark', type: 'string', jsonPath: `.spec.${field}` }
	return { ...(schema && { schema }), additionalPrinterColumns: [...(version.additionalPrinterColumns ?? []), column] }
}

describe('with a fault of etcd, the API server or the connection to it', () => {
	test.each<[title: string, hardTime: HardTime, options?: WorldOptions]>([
		['etcd is full and rejects every write until space is freed', etcdIsFull, fullEtcd],
		['the API server is killed during requests, and started again after a while', serverIsKilled],
		['API Priority and Fairness allows the controller one request at a time', serverIsBusy],
		['etcd is compacted while the controller is disconnected, and the API server is restarted', etcdIsCompacted],
		['etcd is compacted, and the API server has no watch cache', onlyEtcdRemembers, { server: { 'watch-cache': 'false' } }],
		['open connections transfer no more data and are not closed', lineIsForgotten],
		['data of the API server arrives byte by byte', lineTrickles],
		['the CRD is upgraded while runs are in progress', crdIsUpgraded],
	])('%s: nothing is lost or done twice', async (_, hardTime, options) => {
		await story(await startWorld(options), hardTime)
	})
})

describe.skipIf(process.getuid?.() !== 0)('with a network namespace (needs root)', () => {
	test('three of ten packets are lost, in both directions: nothing is lost or done twice', async () => {
		const world = await startWorld()
		const lossy = await world.startLossyController(30)
		await story(world, goOn, () => undefined)
		expect(await lossy.lost()).toBeGreaterThan(100)
	})
})

describe('a controller with a wrong clock', () => {
	test('that is hours ahead and then hours behind: nothing is lost or done twice', async () => {
		const world = await startWorld()
		await story(world, clockIsSetBack, () => world.startController(world.line, clock(5)))
	})

	test('still retries a failed run within minutes', async () => {
		const world = await startWorld()
		world.failing.add('x')
		await world.addNode('x')
		world.startController(world.line, clock(5))
		await add(world, 'x')
		await soon(() => expect(world.told.get('x')).toBe('Failed 1'))
		world.failing.clear()
		world.startController(world.line, clock(-5))
		await soon(() => expect(world.told.get('x')).toBe('Configured 1'))
		expect(world.broken).toEqual([])
	})
})

describe('ten thousand node configs created together', () => {
	test('are all configured, each by one run', async () => {
		const count = 10_000
		const world = await startWorld({ settings: { maxUnavailable: '100%' } })
		const names = Array.from({ length: count }, (_, index) => `node-${index}`)
		await inParallel(names, 8, name => world.addNode(name))
		const { isSynced } = world.startController(world.plane)
		await soon(() => expect(isSynced()).toBe(true))
		const begun = performance.now()
		const created = inParallel(names, 8, (name, index) => add(world, name, { interfaces: [nicNumber(index)] }))
		const configured = () => [...world.told.values()].filter(said => said === 'Configured 1').length
		const tell = () => {
			const seconds = Math.round((performance.now() - begun) / 1_000)
			process.stdout.write(`${seconds} s: ${world.told.size} made, ${world.ran.length} run, ${configured()} configured\n`)
		}
		const telling = setInterval(tell, 10_000)
		onTestFinished(() => clearInterval(telling))
		await created
		await soon(() => expect(configured()).toBe(count), { timeout: 3_000_000, interval: 1_000 })
		tell()
		expect(world.ran).toHaveLength(count)
		expect(new Set(world.ran.map(({ nodeName }) => nodeName)).size).toBe(count)
		expect(world.broken).toEqual([])
	})
})

function nicNumber(index: number) {
	const [high, low] = [index >> 8, index & 255]
	const hex = (byte: number) => byte.toString(16).padStart(2, '0')
	return { id: 0, macAddress: `fa:16:3e:01:${hex(high)}:${hex(low)}`, address: `10.2.${high}.${low}`, cidr: '10.0.0.0/8', mtu: 1_450 }
}
