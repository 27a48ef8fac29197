import { Command, InvalidArgumentError } from 'commander'
import pc from 'picocolors'
import { prepareFleet, startFleet } from './fleet.ts'
import { type Lab, startLab } from './setup/start-lab.ts'
import { Missing } from './base/missing.ts'
import { whenOrphaned } from './base/orphan.ts'
import { writePlugin } from './plugin.ts'
import { prepareLab } from './setup/prepare.ts'
import { say, seconds } from './base/progress.ts'
import { namespace } from './demo/cloud.ts'
import { openDoor } from './demo/control-socket.ts'
import { productStory, rounded, type StoryEnd } from './demo/run-demo.ts'
import { setStage } from './demo/demo.ts'

interface Flags {
	once: boolean
	json: boolean
	nodes: number
	fakeKubelet: boolean
}

const exitCodes = { failed: 1, missing: 2, interrupted: 130 } as const

const command = new Command('npm start --')
	.description('Starts two Kubernetes clusters and the nodes of one, runs a demo of a port, and stays up until Ctrl-C.')
	.option('--once', 'run the demo once, with a reboot, and exit', false)
	.option('--json', 'print how it went as one line of JSON, last on stdout', false)
	.option('--nodes <count>', 'how many nodes, 1 to 9; with --fake-kubelet up to 10000', parseNodes, 2)
	.option('--fake-kubelet', 'no VMs: nodes that only the API server knows, and a fleet of node configs to be watched', false)

await main(command.parse().opts<Flags>())

async function main(flags: Flags): Promise<void> {
	onInterrupt(() => process.exit(exitCodes.interrupted))
	whenOrphaned(() => process.kill(process.pid, 'SIGTERM'))
	if (!flags.fakeKubelet && flags.nodes > 9) command.error('error: more than 9 nodes only with --fake-kubelet', { exitCode: 1 })
	try {
		if (flags.fakeKubelet) await tellFleet(flags)
		else await tell(flags)
	} catch (error) {
		say(pc.red(error instanceof Error ? error.message : String(error)))
		process.exit(error instanceof Missing ? exitCodes.missing : exitCodes.failed)
	}
}

async function tellFleet({ once, json, nodes }: Flags): Promise<void> {
	const began = Date.now()
	await prepareFleet()
	await using fleet = await startFleet(nodes)
	say(fleet.invitation)
	const end = await fleet.story()
	if (json) process.stdout.write(`${JSON.stringify({ ...end, seconds: { ...end.seconds, all: rounded(Date.now() - began) } })}\n`)
	if (!once) await untilInterrupted(fleet)
}

async function tell({ once, json, nodes }: Flags): Promise<void> {
	const began = Date.now()
	await prepareLab(nodes)
	const prepared = Date.now()
	await using lab = await startLab({ nodes })
	await using stage = await setStage(lab)
	const up = Date.now()
	const end = await productStory(stage, say, { reboot: once })
	if (json) print(end, { setup: rounded(prepared - began), up: rounded(up - prepared) })
	if (once) return
	const door = await openDoor(stage)
	await writePlugin(door)
	say(invitation(lab, end, door))
	await untilInterrupted(lab)
}

function print({ seconds: story, ...end }: StoryEnd, own: { setup: number; up: number }): void {
	process.stdout.write(`${JSON.stringify({ ...end, seconds: { ...own, ...story } })}\n`)
}

function invitation({ biz, mgmt, bin }: Lab, { node }: StoryEnd, door: string): string {
	const commands = {
		[`kubectl get mnnc -n ${namespace}`]: 'the node configs and their status',
		[`kubectl multinic get ${node}`]: 'all that is known of the node, and what happens next',
		[`kubectl logs -n ${namespace} -l multinic.io/node-name=${node} --tail=-1`]: 'what the runs on the node did',
		[`lab attach ${node}`]: 'another port, which becomes multinic1',
		[`lab detach ${node} multinic0`]: 'and away it goes',
		[`lab reboot ${node}`]: 'and look whether its NICs came back',
		[`lab run ${node} ip address`]: 'any command on the node',
	}
	const width = Math.max(...Object.keys(commands).map(({ length }) => length))
	return `
In another terminal:
  ${pc.bold(`export KUBECONFIG=${biz.kubeconfig} PATH=${door}:${bin}:$PATH`)}
${Object.entries(commands)
	.map(([command, what]) => `  ${command.padEnd(width)}  ${pc.dim(what)}`)
	.join('\n')}
The cluster without nodes, where mgmt's OpenstackConfig is, has ${mgmt.kubeconfig}.
Ctrl-C ends all of it.`
}

async function untilInterrupted(lab: Pick<Lab, 'ended'>): Promise<void> {
	const began = Date.now()
	const interrupted = new Promise<undefined>(resolve => onInterrupt(() => resolve(undefined)))
	const death = await Promise.race([interrupted, lab.ended])
	if (death !== undefined) throw new Error(death)
	say(`the lab was up for ${seconds(Date.now() - began)}`)
}

/** Replaces the previous handlers. It stays: one Ctrl-C may arrive more than once, from the terminal and from npm. */
function onInterrupt(act: () => void): void {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal).on(signal, act)
}

function parseNodes(text: string): number {
	if (!/^([1-9]\d{0,3}|10000)$/.test(text)) throw new InvalidArgumentError('a number from 1 to 9, or with --fake-kubelet to 10000')
	return Number(text)
}
