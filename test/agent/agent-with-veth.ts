import { addresseeOf, parseSettings, readConfig } from '../../agent/config.ts'
import { failure } from '../../agent/failure.ts'
import { type Host, hostAt } from '../../agent/host/host.ts'
import { createLog } from '../../agent/log.ts'
import { main } from '../../agent/main.ts'
import { run } from '../../agent/run.ts'
import { writeFileSync } from 'node:fs'
import type { Fault } from './node-host.ts'

/** The agent as it is, but for two things: veth counts as hardware, and FAULT breaks it after so many steps. */
const kinds = new Set(['hardware', 'veth'])
const fault = JSON.parse(process.env.FAULT ?? 'null') as Fault | null

if (!fault) process.exitCode = await main(process.env, kinds)
else {
	const settings = parseSettings(process.env)
	if (!addresseeOf(settings.configPath)) throw new Error('the config is wrong')
	const log = createLog('human', line => process.stdout.write(line))
	const report = await run(readConfig(settings.configPath), broken(hostAt(settings.hostRoot), fault), { log, kinds, apiServer: undefined })
	writeFileSync(settings.reportFile ?? '', JSON.stringify(report))
}

function broken(host: Host, { at, how, renameDown = false }: Fault): Host {
	return {
		...host,
		observe: async macs => ({ ...(await host.observe(macs)), ...(renameDown && { liveRename: false }) }),
		apply: async steps => {
			if (at === undefined) return host.apply(steps)
			await host.apply(steps.slice(0, at))
			if (how === 'kill') process.kill(process.pid, 'SIGKILL')
			throw failure('COMMAND_FAILED', `broken on purpose after ${at} of ${steps.length} steps`)
		},
	}
}
