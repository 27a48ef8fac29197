import { describe, expect, test } from 'vitest'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { type HardTime, namespace, soon, startWorld, story, type WorldOptions } from './hard-times.ts'

/** What only a real etcd and API server can do to a controller. */

const flowControl = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1', namespaced: false }
const FlowSchema = defineKind<KubeObject & { spec: object }>({ ...flowControl, plural: 'flowschemas', kind: 'FlowSchema' })
const PriorityLevel = defineKind<KubeObject & { spec: object }>({
	...{ ...flowControl, plural: 'prioritylevelconfigurations', kind: 'PriorityLevelConfiguration' },
})
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

/** The watches of the controller are cut; before it can open them again, etcd forgets what it has not heard. */
const etcdIsCompacted: HardTime = async ({ plane, etcd, line, gate, heard }, change) => {
	line.cut()
	await change()
	gate.open()
	await soon(() => expect(heard(/lost sight of objects/)).toBeGreaterThan(5))
	await etcd.compact()
	await plane.killServer()
	await plane.startServer()
	line.mend()
	await soon(() => expect(heard(/"type":"EXPIRED"/)).toBeGreaterThanOrEqual(3))
}

const serverIsBusy: HardTime = async ({ admin, gate, calls }, change) => {
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
	gate.open()
	const changed = change()
	await soon(() => expect(calls('429')).toBeGreaterThan(20))
	await changed
	await admin.delete(FlowSchema, { name: 'nothing' })
}

/** A firewall forgets what is connected: nothing is closed, and nothing comes any more. */
const lineIsForgotten: HardTime = async ({ line, gate, heard }, change) => {
	line.forget()
	gate.open()
	await change()
	await soon(() => expect(heard(/a silent watch is opened anew/)).toBeGreaterThanOrEqual(5))
}

/** A new controller reads everything from the start, byte by byte. */
const lineTrickles: HardTime = async ({ line, gate, startController }, change) => {
	line.trickle(true)
	const before = line.carried
	const { isSynced } = startController()
	gate.open()
	await change()
	await soon(() => expect(isSynced()).toBe(true))
	expect(line.carried - before).toBeGreaterThan(20_000)
}

const goOn: HardTime = ({ gate }, change) => {
	gate.open()
	return change()
}

describe('whatever befalls etcd, the API server, and the line to it', () => {
	test.each<[title: string, hardTime: HardTime, options?: WorldOptions]>([
		['etcd is full and refuses every write until somebody makes room', etcdIsFull, fullEtcd],
		['the API server is killed in the middle of work, and started anew a while later', serverIsKilled],
		['priority and fairness refuses all that the controller asks for', serverIsBusy],
		['etcd is compacted while the controller cannot hear of it', etcdIsCompacted],
		['the line carries nothing any more, and nobody closes it', lineIsForgotten],
		['the line carries what there is byte by byte', lineTrickles],
	])('%s: nothing is lost, nothing done twice', async (_, hardTime, options) => {
		await story(await startWorld(options), hardTime)
	})
})

describe.skipIf(process.getuid?.() !== 0)('with a network namespace (needs root)', () => {
	test('three of ten packets are lost, in both directions: nothing is lost, nothing done twice', async () => {
		const world = await startWorld()
		const lossy = await world.startLossyController(30)
		await story(world, goOn, () => undefined)
		expect(await lossy.lost()).toBeGreaterThan(100)
	})
})
