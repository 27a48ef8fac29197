import { expect, test } from 'vitest'
import { failure } from '../../agent/model/failure.ts'
import type { Host } from '../../agent/run/host.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

const macs = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02']
const [first, second] = macs.map((mac, id) => ({ ifindex: id + 3, name: `ens${id}`, mac }))
if (!first || !second) throw new Error('no links')

test('a link that appears while another link is configured does not affect it and is configured next', async () => {
	const { host, turns } = pluggedAfter(1)
	const wish = runConfig(
		macs.map((macAddress, id) => ({ id, macAddress, mtu: 1400 })),
		{ waitForDeviceSeconds: 5 },
	)
	const report = await run(wish, host, { log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined })
	expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
	expect(turns()).toBe(2)
})

test('a late link that cannot be configured does not affect the first, and only the late link is reported as failed', async () => {
	const { host } = pluggedAfter(1)
	let applied = 0
	const apply: Host['apply'] = async steps => {
		await host.apply(steps)
		if (++applied > 1) throw failure('COMMAND_FAILED', 'the disk is full')
	}
	const wish = runConfig(
		macs.map((macAddress, id) => ({ id, macAddress, mtu: 1400 })),
		{ waitForDeviceSeconds: 5 },
	)
	const report = await run(
		wish,
		{ ...host, apply },
		{ log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined },
	)
	expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'CommandFailed' })
	expect(report.interfaces).toMatchObject([
		{ reason: 'Configured' },
		{ reason: 'CommandFailed', message: 'the disk is full; this interface is unchanged' },
	])
})

/** A host on which the second link appears after steps have been applied `turn` times. */
function pluggedAfter(turn: number): { host: Host; turns(): number } {
	const { host } = livingHost(hostWith([first, second].flatMap(link => link ?? [])))
	let turns = 0
	return {
		host: {
			...host,
			observe: async macs => {
				const state = await host.observe(macs)
				return turns >= turn ? state : { ...state, links: state.links.filter(({ ifindex }) => ifindex === first?.ifindex) }
			},
			apply: async steps => {
				await host.apply(steps)
				turns++
			},
		},
		turns: () => turns,
	}
}
