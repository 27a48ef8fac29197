import type { Command } from 'commander'
import { Failure } from '../../runtime/errors.ts'
import { type Choice, type Completion, completionLines, completionOf } from './completion.ts'
import { NodeConfig } from '../model/kinds.ts'
import { stateWords } from '../render/state.ts'
import { configView } from '../model/node-config-view.ts'
import { type ConnectFlags, exitCodes, type CliIo } from '../model/io.ts'

/** How long a completion waits for the API server, in milliseconds. */
const patienceMs = 3_000

/** Prints the possible next words. Expected errors are ignored, because a message would only disrupt the line being typed. */
export async function complete(program: Command, words: readonly string[], io: CliIo): Promise<number> {
	const completion = completionOf(program, words)
	const choices = completion.also === 'nodes' ? await nodesFor(words, io) : completion.choices
	const whole: Completion = { ...completion, choices }
	io.out.write(`${completionLines(whole).join('\n')}\n`)
	return exitCodes.ok
}

async function nodesFor(words: readonly string[], io: CliIo): Promise<Choice[]> {
	const typed = words.at(-1) ?? ''
	try {
		const cluster = await io.connect(flagsIn(words))
		const { namespace, client } = cluster
		const { items } = await client.list(NodeConfig, { namespace, timeoutMs: patienceMs, signal: io.signal }).finally(cluster.close)
		const others = items.map(configView).filter(({ name }) => name.startsWith(typed) && !words.slice(0, -1).includes(name))
		return others.map(config => ({ text: config.name, about: stateWords(config) }))
	} catch (error) {
		if (error instanceof Failure) return [] // unreachable, not allowed, no kubeconfig: no names are known
		throw error
	}
}

/** Returns the connection flags that the line contains. */
function flagsIn(words: readonly string[]): ConnectFlags {
	const flag = (...names: string[]) => {
		const at = words.findIndex(word => names.includes(word))
		const assigned = words.map(word => names.map(name => word.startsWith(`${name}=`) && word.slice(name.length + 1)).find(Boolean))
		return (at >= 0 ? words[at + 1] : assigned.find(Boolean)) || undefined
	}
	const [namespace, kubeconfig, context] = [flag('-n', '--namespace'), flag('--kubeconfig'), flag('--context')]
	return { ...(namespace && { namespace }), ...(kubeconfig && { kubeconfig }), ...(context && { context }) }
}
