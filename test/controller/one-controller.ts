import { createController } from '../../controller/controller.ts'
import type { KubeClientOptions } from '../../runtime/kube/client.ts'
import { createLog } from '../../runtime/log.ts'
import { type Access, connect, namespace } from './plane.ts'
import { agent } from './world.ts'

/** Runs one controller at a time: each start ends the previous one. Records the results of its requests, and its log. */
export function oneController({ ca, token }: Omit<Access, 'port'>) {
	const calls = new Map<string, number>()
	const lines: string[] = []
	const hear = (line: string) => void lines.push(line)
	let end = async () => {}
	const start = (port: number, now?: () => number) => {
		void end()
		const stop = new AbortController()
		const onCall: KubeClientOptions['onCall'] = ({ code }) => calls.set(code, (calls.get(code) ?? 0) + 1)
		const client = connect({ port, ca, token }, { fieldManager: 'multinic-controller', onCall })
		const options = {
			client,
			config,
			log: createLog('controller', { level: 'debug', to: { write: hear } }),
			signal: stop.signal,
			...(now && { now }),
		}
		const controller = createController(options)
		const done = controller.run(stop.signal)
		end = async () => {
			stop.abort()
			await client.close()
			await done
		}
		return controller
	}
	return {
		...{ start, hear },
		end: () => end(),
		log: () => lines.map(line => line.trimEnd()).join('\n'),
		/** Returns the number of its requests with this result: an HTTP status, or `<error>`. */
		calls: (code: string) => calls.get(code) ?? 0,
		/** Returns the number of lines in its log that match. */
		heard: (words: RegExp) => lines.filter(line => words.test(line)).length,
	}
}

const config = {
	namespace,
	agent,
	runs: { keepRunMs: 3_600_000, maxConcurrentRuns: 100_000, deadlineMs: 300_000, checkInstanceId: true },
	workers: 8,
}
