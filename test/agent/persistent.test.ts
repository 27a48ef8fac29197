import { expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { comparable, hostWith, livingHost } from './simulated-host.ts'

const mac = 'fa:16:3e:00:00:01'
const nic = { id: 0, macAddress: mac, mtu: 1400 }
const fresh = hostWith([{ ifindex: 3, name: 'ens7', mac }])

const surrounding = { log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined }

const proven: AgentReport['persistent'] = { status: 'True', message: 'same after reboot' }
const unproven = (message: string): AgentReport['persistent'] => ({ status: 'Unknown', message })

const nobodyAsked = 'no interface can be configured, so the state after a reboot was not checked'

test.each<[title: string, start: HostState, mode: RunConfig['mode'], says: AgentReport['persistent']]>([
	['True after a run that configured all interfaces', fresh, 'Apply', proven],
	['True after a run without changes', await configured(), 'Apply', proven],
	['True after a verification without drift', await configured(), 'Verify', proven],
	['Unknown after a verification with drift', fresh, 'Verify', unproven('checked after the changes are made')],
	['Unknown after a plan with changes', fresh, 'Plan', unproven('checked after the changes are made')],
	['Unknown after a run that configured no interface', hostWith([]), 'Apply', unproven(nobodyAsked)],
	['Unknown after a verification of a NIC that another program uses now', await taken(), 'Verify', unproven(nobodyAsked)],
])('the persistent status in the report is %s', async (_, start, mode, says) => {
	const { report } = await runOn(start, mode)
	expect(report.persistent).toEqual(says)
})

test('a bug after the change rolls back everything immediately and is rethrown', async () => {
	const { host, now } = livingHost(fresh)
	const prove = () => Promise.reject(new TypeError('of undefined'))
	await expect(run(runConfig([nic]), { ...host, prove }, surrounding)).rejects.toThrow(TypeError)
	expect(comparable(now())).toEqual(comparable(fresh))
	expect(host.isArmed()).toBe(true)
})

async function configured(): Promise<HostState> {
	const { report, state } = await runOn(fresh, 'Apply')
	expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
	return state
}

/** A configured NIC to which another program has added an address. */
async function taken(): Promise<HostState> {
	const state = await configured()
	const foreign = { cidr: '172.16.0.1/24', family: 4, global: true, dynamic: false } as const
	return { ...state, links: state.links.map(link => ({ ...link, addresses: [...link.addresses, foreign] })) }
}

async function runOn(start: HostState, mode: RunConfig['mode']) {
	const { host, now } = livingHost(start)
	const report = await run(
		runConfig([nic], { mode }),
		{ ...host, prove: async () => ({ persistent: proven, warnings: new Map() }) },
		surrounding,
	)
	return { report, state: now() }
}
