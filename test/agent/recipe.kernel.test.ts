import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commit } from '../../agent/rollback/arm.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { swapped } from './swapped.ts'
import { pretendSystemd } from './pretend.ts'

/** The agent is killed after any number of its steps. The units that systemd would start roll back everything without it. */
const isRoot = process.getuid?.() === 0
const mac = (id: number) => `fa:16:3e:00:00:0${id}`

/** A boot resets the kernel state. Here this requires a new host, so not every number of steps is tested. */
const STRIDE = 4

describe.skipIf(!isRoot)('a rollback without the agent (needs root for network namespaces)', () => {
	let host: NodeHost
	let before: State
	let steps = 0

	beforeAll(async () => {
		host = await prepared()
		before = await stateOf(host)
		const { report } = await host.agent(swapped, { mode: 'Plan' })
		steps = report?.plan?.commands.length ?? 0
		expect(steps).toBeGreaterThan(20)
	})
	afterAll(() => host?.close())

	test('restores the kernel state and the files after any number of steps, while the host runs', async () => {
		for (let at = 0; at <= steps; at++) {
			await killedAfter(host, at)
			await carryOut(host, unitOf(host, '/run/systemd/system', /^multinic-undo-.*\.service$/))
			expect(await stateOf(host), `after ${at} of ${steps}`).toEqual(before)
		}
	})

	test('does nothing after the commit of the run, and a run whose rollback has started cannot commit', async () => {
		const other = await prepared()
		try {
			await killedAfter(other, steps)
			const undo = join(other.inner, 'var/lib/multinic/undo')
			const live = unitOf(other, '/run/systemd/system', /^multinic-undo-.*\.service$/)
			const after = await stateOf(other)
			renameSync(undo, `${undo}-as-committed`)
			await carryOut(other, live)
			renameSync(`${undo}-as-committed`, undo)
			expect(await stateOf(other)).toEqual(after)
			renameSync(undo, `${undo}ing`)
			expect(await commit(other.inner, { undo: [], tag: 'g1' })).toBe(false)
			expect(existsSync(`${undo}ing`)).toBe(true)
		} finally {
			other.close()
		}
	})

	test('restores the files at the next boot, after any number of steps', async () => {
		for (let at = 0; at <= steps; at += STRIDE) {
			const other = await prepared()
			try {
				const { files } = await stateOf(other)
				await killedAfter(other, at)
				await carryOut(other, unitOf(other, '/etc/systemd/system', /^multinic-undo\.service$/))
				expect((await stateOf(other)).files, `after ${at} of ${steps}`).toEqual(files)
			} finally {
				other.close()
			}
		}
	})
})

type State = { files: unknown }

async function stateOf(host: NodeHost): Promise<State> {
	return (await host.everything()) as State
}

async function prepared(): Promise<NodeHost> {
	const host = await nodeHost()
	for (const id of [0, 1, 2]) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
	const first = await host.agent([
		{ id: 0, macAddress: mac(0), address: '10.0.0.9', cidr: '10.0.0.0/24' },
		{ id: 1, macAddress: mac(1) },
	])
	expect(first.report).toMatchObject({ message: 'Configured 2/2' })
	await host.ip('link set ens2 up\naddr add 10.9.9.9/24 dev ens2 valid_lft 4000 preferred_lft 3000')
	await pretendSystemd(host)
	return host
}

async function killedAfter(host: NodeHost, at: number): Promise<void> {
	const { code } = await host.agent(swapped, {}, { at, how: 'kill' })
	expect(code, `after ${at}`).not.toBe(0)
}

/** Executes each ExecStart= like systemd: without a shell, in the root of the host, up to the first failure that `-` does not ignore. */
async function carryOut(host: NodeHost, unit: string): Promise<void> {
	const commands = [...readFileSync(join(host.inner, unit), 'utf8').matchAll(/^ExecStart=(-?)(.*)$/gm)]
	expect(commands.length).toBeGreaterThan(1)
	for (const [, excused, words = ''] of commands) {
		if (words.includes('/sleep ')) continue
		const { code } = await host.inside('chroot', [host.root, ...words.split(' ')])
		if (code !== 0 && excused === '') return
	}
}

function unitOf(host: NodeHost, folder: string, name: RegExp): string {
	const found = readdirSync(host.inner + folder).find(file => name.test(file))
	if (found === undefined) throw new Error(`no unit in ${folder}`)
	return `${folder}/${found}`
}
