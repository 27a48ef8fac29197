import { addresseeOf, parseSettings, readConfig } from '../../agent/config.ts'
import { hostAt } from '../../agent/run/host.ts'
import { acquireLock } from '../../agent/host/run-lock.ts'
import { createLog } from '../../agent/report/log.ts'
import { main } from '../../agent/main.ts'
import { run } from '../../agent/run/run.ts'
import { writeFileSync } from 'node:fs'
import { broken, type Fault } from './broken-host.ts'
import { askQuickly } from './quick-neighbours.ts'

/**
 * The real agent with three differences: it accepts veth links as NICs, probe timeouts are short, and FAULT breaks it after a number of
 * steps.
 */
const kinds = new Set(['hardware', 'veth'])
const fault = JSON.parse(process.env.FAULT ?? 'null') as Fault | null
if (process.env.SILENCE !== 'real') askQuickly()

if (!fault) process.exitCode = await main(process.env, kinds)
else {
	const settings = parseSettings(process.env)
	if (!addresseeOf(settings)) throw new Error('the config is wrong')
	const config = readConfig(settings)
	const unlock = await acquireLock(settings.hostRoot, config)
	const log = createLog('human', line => process.stdout.write(line))
	const report = await run(config, broken(hostAt(settings.hostRoot), fault), { log, kinds, apiServer: undefined })
	writeFileSync(settings.reportFile ?? '', JSON.stringify(report))
	unlock()
}
