import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleAgent } from './bundle.ts'
import { benchHost } from './host.ts'
import { timeOf } from './process.ts'

/**
 * `node bench/agent/record.ts`: records the run that warms up the code in the image (`agent/image/recorded.json`). Run it when the agent
 * starts other commands than the recorded ones; `test/charts/bundle.test.ts` then fails. Two NICs are enough, in addition to one link of
 * the node's own.
 */
const NICS = 2
const recorded = join(import.meta.dirname, '../../agent/image/recorded.json')
const folder = mkdtempSync(join(tmpdir(), 'multinic-record-'))
try {
	const host = await benchHost(folder, NICS)
	const answersFile = join(host.root, 'config/answers.json')
	execFileSync('nsenter', [...host.inside, 'ip', '-batch', '-'], { input: nodesOwn() })
	const args = ['--import', join(import.meta.dirname, 'recorder.ts'), await bundleAgent(folder)]
	await timeOf(host, { args, env: { ...host.env(), RECORDED: answersFile } })
	const config = JSON.parse(readFileSync(join(host.root, 'config/config.json'), 'utf8'))
	if (host.report()?.outcome !== 'Succeeded') throw new Error(`the run did not succeed: ${JSON.stringify(host.report())}`)
	writeFileSync(recorded, `${JSON.stringify({ config, answers: JSON.parse(asHardware(readFileSync(answersFile, 'utf8'))) }, null, '\t')}\n`)
	host.close()
} finally {
	rmSync(folder, { recursive: true, force: true })
}

/**
 * Returns commands that create a link which the run does not change, and a route through it, as most nodes have. It is not a default route,
 * because a run waits for a default gateway that does not respond.
 */
function nodesOwn(): string {
	return [
		'link add br-node type bridge',
		'link set br-node up',
		'addr add 192.168.0.2/24 dev br-node',
		'addr add fd00::2/64 dev br-node nodad',
		'route add 10.96.0.0/12 via 192.168.0.1 dev br-node metric 100',
	]
		.map(line => `${line}\n`)
		.join('')
}

/**
 * Makes veth devices look like hardware, because the product accepts only hardware as NICs and a network namespace has none. @param text
 * JSON in JSON
 */
function asHardware(text: string): string {
	return text.replace(/\\"(linkinfo\\":\{\\"info_kind\\":\\"veth\\"\}|link_index\\":\d+|link_netnsid\\":\d+),/g, '')
}
