import { writeSync } from 'node:fs'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { createLog } from '../../../runtime/log.ts'
import { steps } from './scenario.ts'

/**
 * A process that stores the steps of the scenario and ends itself with SIGKILL before one of its statements. It prints a line for each step
 * that was answered, and at the end the number of its statements.
 *
 * Usage: node killed.ts <settings as JSON> <number of the statement>
 */
const [, , given = '', at = ''] = process.argv
let count = 0
const before = () => {
	if (count++ === Number(at)) process.kill(process.pid, 'SIGKILL')
}
const inventory = openInventory(JSON.parse(given), { log: createLog('test', { level: 'warn' }), before })
await inventory.opened
inventory.lead()
for (const step of steps) {
	await inventory.record(step)
	writeSync(1, 'answered\n')
}
writeSync(1, `${count} statements\n`)
await inventory.close()
