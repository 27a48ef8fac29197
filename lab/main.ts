import { Command, InvalidArgumentError } from 'commander'
import pc from 'picocolors'
import { type Lab, startLab } from './lab.ts'
import { Missing } from './machine.ts'
import { whenOrphaned } from './orphan.ts'
import { prepareLab } from './prepare.ts'
import { say, seconds } from './progress.ts'
import { invitations, productStory } from './story/product.ts'
import type { StoryEnd } from './story.ts'

interface Flags {
	once: boolean
	json: boolean
	nodes: number
}

const exitCodes = { failed: 1, missing: 2, interrupted: 130 } as const

const command = new Command('npm start --')
	.description('Brings up two Kubernetes clusters and the nodes of one, tells the story of a port, and stays until Ctrl-C.')
	.option('--once', 'tell the story once, with a reboot, and end', false)
	.option('--json', 'print how it went as one line of JSON, last on stdout', false)
	.option('--nodes <count>', 'how many nodes, 1 to 9', parseNodes, 2)

await main(command.parse().opts<Flags>())

async function main(flags: Flags): Promise<void> {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(exitCodes.interrupted))
	whenOrphaned(() => process.exit(exitCodes.interrupted))
	try {
		await tell(flags)
	} catch (error) {
		say(pc.red(error instanceof Error ? error.message : String(error)))
		process.exit(error instanceof Missing ? exitCodes.missing : exitCodes.failed)
	}
}

async function tell({ once, json, nodes }: Flags): Promise<void> {
	const began = Date.now()
	await prepareLab(nodes)
	const prepared = Date.now()
	await using lab = await startLab({ nodes })
	const up = Date.now()
	const end = await productStory(lab, say, { reboot: once })
	if (json) print(end, { setup: prepared - began, up: up - prepared })
	if (once) return
	say(invitation(lab))
	await untilInterrupted(lab)
}

function print({ seconds: story, ...end }: StoryEnd, times: { setup: number; up: number }): void {
	const own = Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, Math.round(ms / 100) / 10]))
	process.stdout.write(`${JSON.stringify({ ...end, seconds: { ...own, ...story } })}\n`)
}

function invitation({ biz, mgmt, bin }: Lab): string {
	return `
In another terminal:
  ${pc.bold(`export KUBECONFIG=${biz.kubeconfig} PATH=${bin}:$PATH`)}
  ${invitations.join('\n  ')}
The cluster without nodes has ${mgmt.kubeconfig}.
Ctrl-C ends all of it.`
}

async function untilInterrupted(lab: Lab): Promise<void> {
	const began = Date.now()
	const interrupted = new Promise<undefined>(resolve => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
			process.removeAllListeners(signal)
			process.once(signal, () => resolve(undefined))
		}
	})
	const death = await Promise.race([interrupted, lab.ended])
	if (death !== undefined) throw new Error(death)
	say(`the lab was up for ${seconds(Date.now() - began)}`)
}

function parseNodes(text: string): number {
	if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError('a number from 1 to 9')
	return Number(text)
}
