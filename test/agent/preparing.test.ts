import { expect, test } from 'vitest'
import { failure } from '../../agent/model/failure.ts'
import type { Host } from '../../agent/run/host.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

/** If queries before the first change fail, nothing is changed, and the rollback timer does not stay armed. */

const mac = 'fa:16:3e:00:00:01'
const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const toAll = {
	family: 4 as const,
	to: '0.0.0.0/0',
	via: '192.168.9.1',
	link: 2,
	table: 254,
	metric: 0,
	protocol: 3,
	type: 1,
	scope: 0,
	onlink: false,
}
const start = hostWith(
	[
		{
			ifindex: 2,
			name: 'eth0',
			mac: '02:00:00:00:00:02',
			up: true,
			addresses: [{ family: 4, cidr: '192.168.9.2/24', global: true, dynamic: false }],
		},
		{ ifindex: 3, name: 'ens7', mac },
	],
	{ routes: [toAll] },
)
const slow = async () => {
	throw failure('COMMAND_FAILED', 'ip -j -force -batch - took longer than 20000 ms')
}

test.each<[string, Partial<Host>]>([
	['the route lookups', { lookUp: slow }],
	['the probes of the gateways', { neighboursAnswer: slow }],
	['the route lookups and the probes of the gateways', { lookUp: slow, neighboursAnswer: slow }],
])('if %s fail, the run ends, nothing is changed and the rollback timer is not armed', async (_, failing) => {
	const { host, now } = livingHost(start)
	const log = createLog('human', () => undefined)
	const report = await run(runConfig([nic]), { ...host, ...failing }, { log, kinds: new Set(['hardware']), apiServer: undefined })
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'CommandFailed', changes: 0 })
	expect(now()).toEqual(start)
	expect(host.isArmed()).toBe(false)
})
