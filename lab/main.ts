import { Command, InvalidArgumentError, Option } from 'commander'
import pc from 'picocolors'
import { prepareFleet, startFleet } from './fleet.ts'
import { type Lab, startLab } from './setup/start-lab.ts'
import { Missing } from './base/missing.ts'
import { whenOrphaned } from './base/orphan.ts'
import { writePlugin } from './plugin.ts'
import { prepareLab } from './setup/prepare.ts'
import { printLine, seconds } from './base/progress.ts'
import { mgmtOrigins, type MgmtOrigin, namespace } from './demo/cloud.ts'
import { startControlSocket } from './demo/control-socket.ts'
import { runDemo, rounded, type DemoResult } from './demo/run-demo.ts'
import { startDemo } from './demo/demo.ts'

interface Flags {
	once: boolean
	json: boolean
	nodes: number
	fakeKubelet: boolean
	mgmt: MgmtOrigin
}

const exitCodes = { failed: 1, missing: 2, interrupted: 130 } as const

const command = new Command('npm start --')
	.description('Starts two Kubernetes clusters and the nodes of one, runs a demo of a port, and stays up until Ctrl-C.')
	.option('--once', 'run the demo once, with a reboot, and exit', false)
	.option('--json', 'print the result as one line of JSON, last on stdout', false)
	.option('--nodes <count>', 'how many nodes, 1 to 9; with --fake-kubelet up to 10000', parseNodes, 2)
	.option('--fake-kubelet', 'no VMs: nodes that exist only in the API server, and a rollout of node configs to watch', false)
	.addOption(
		new Option('--mgmt <origin>', 'run mgmt and viola from the sources, or from their chart on the nodes')
			.choices(mgmtOrigins)
			.default('sources'),
	)

await main(command.parse().opts<Flags>())

async function main(flags: Flags): Promise<void> {
	onInterrupt(() => process.exit(exitCodes.interrupted))
	whenOrphaned(() => process.kill(process.pid, 'SIGTERM'))
	if (!flags.fakeKubelet && flags.nodes > 9) command.error('error: more than 9 nodes only with --fake-kubelet', { exitCode: 1 })
	try {
		if (flags.fakeKubelet) await runFleet(flags)
		else await runLab(flags)
	} catch (error) {
		printLine(pc.red(error instanceof Error ? error.message : String(error)))
		process.exit(error instanceof Missing ? exitCodes.missing : exitCodes.failed)
	}
}

async function runFleet({ once, json, nodes }: Flags): Promise<void> {
	const began = Date.now()
	await prepareFleet()
	await using fleet = await startFleet(nodes)
	printLine(fleet.instructions)
	const result = await fleet.rollOut()
	if (json) process.stdout.write(`${JSON.stringify({ ...result, seconds: { ...result.seconds, all: rounded(Date.now() - began) } })}\n`)
	if (!once) await untilInterrupted(fleet)
}

async function runLab({ once, json, nodes, mgmt }: Flags): Promise<void> {
	const began = Date.now()
	await prepareLab(nodes)
	const prepared = Date.now()
	await using lab = await startLab({ nodes })
	await using demo = await startDemo(lab, mgmt)
	const up = Date.now()
	const result = await runDemo(demo, printLine, { reboot: once })
	if (json) print(result, { setup: rounded(prepared - began), up: rounded(up - prepared) })
	if (once) return
	const bin = await startControlSocket(demo)
	await writePlugin(bin)
	printLine(instructions(lab, demo.cloud.where, result, bin))
	await untilInterrupted(lab)
}

function print({ seconds: demo, ...result }: DemoResult, own: { setup: number; up: number }): void {
	process.stdout.write(`${JSON.stringify({ ...result, seconds: { ...own, ...demo } })}\n`)
}

function instructions(lab: Lab, where: string, { node }: DemoResult, bin: string): string {
	const commands = {
		[`kubectl get mnnc -n ${namespace}`]: 'the node configs and their status',
		[`kubectl multinic get ${node}`]: 'the status of the node in detail, and what happens next',
		[`kubectl logs -n ${namespace} -l multinic.io/node-name=${node} --tail=-1`]: 'the log of the runs on the node',
		[`lab attach ${node}`]: 'attach another port, which becomes multinic1',
		[`lab detach ${node} multinic0`]: 'detach a port',
		[`lab reboot ${node}`]: 'reboot the node and check its NICs',
		[`lab run ${node} ip address`]: 'run a command on the node',
	}
	const width = Math.max(...Object.keys(commands).map(({ length }) => length))
	return `
In another terminal:
  ${pc.bold(`export KUBECONFIG=${lab.biz.kubeconfig} PATH=${bin}:${lab.bin}:$PATH`)}
${Object.entries(commands)
	.map(([command, what]) => `  ${command.padEnd(width)}  ${pc.dim(what)}`)
	.join('\n')}
${where}
Ctrl-C stops and removes everything.`
}

async function untilInterrupted(lab: Pick<Lab, 'ended'>): Promise<void> {
	const began = Date.now()
	const interrupted = new Promise<undefined>(resolve => onInterrupt(() => resolve(undefined)))
	const endMessage = await Promise.race([interrupted, lab.ended])
	if (endMessage !== undefined) throw new Error(endMessage)
	printLine(`the lab was up for ${seconds(Date.now() - began)}`)
}

/**
 * Replaces the previous handlers. The handler stays registered after a signal, because one Ctrl-C may arrive twice: from the terminal and
 * from npm.
 */
function onInterrupt(handler: () => void): void {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal).on(signal, handler)
}

function parseNodes(text: string): number {
	if (!/^([1-9]\d{0,3}|10000)$/.test(text)) throw new InvalidArgumentError('a number from 1 to 9, or with --fake-kubelet to 10000')
	return Number(text)
}
