import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure } from '../../agent/model/failure.ts'
import type { Host } from '../../agent/run/host.ts'

/**
 * A fault of a run after `at` of its steps. `renameDown`: the host behaves like a kernel before 6.2. Without `at`, nothing else happens.
 */
export type Fault = { at?: number; renameDown?: boolean } & (
	| { how: 'fail' | 'kill' }
	/** The link with this ifindex is unplugged. */
	| { how: 'vanish'; link: number }
	/** Another program changes the network; the text is lines for `ip -batch`. */
	| { how: 'others'; ip: string }
	/** The run pauses: it creates the file `held` and continues once the file `go` exists or `held` is removed. */
	| { how: 'hold'; held: string; go: string }
	/** The wall clock is changed by `set` seconds while `pass` seconds pass. */
	| { how: 'clock'; set: number; pass: number }
)

/** A host with this fault, which happens only once if it does not end the run. */
export function broken(host: Host, fault: Fault): Host {
	const { at, renameDown = false } = fault
	let isOver = at === undefined
	return {
		...host,
		observe: async macs => ({ ...(await host.observe(macs)), ...(renameDown && { liveRename: false }) }),
		apply: async steps => {
			if (isOver) return host.apply(steps)
			await host.apply(steps.slice(0, at))
			if (fault.how === 'fail') throw failure('COMMAND_FAILED', `broken on purpose after ${at} of ${steps.length} steps`)
			isOver = true
			await happen(fault)
			await host.apply(steps.slice(at))
		},
	}
}

async function happen(fault: Fault): Promise<void> {
	if (fault.how === 'kill') process.kill(process.pid, 'SIGKILL')
	else if (fault.how === 'vanish') execFileSync('ip', ['link', 'del', `if${fault.link}`])
	else if (fault.how === 'others') execFileSync('ip', ['-batch', '-'], { input: fault.ip })
	else if (fault.how === 'clock') setClock(fault)
	else if (fault.how === 'hold') {
		writeFileSync(fault.held, '')
		while (existsSync(fault.held) && !existsSync(fault.go)) await sleep(20)
	}
}

/** All namespaces share the kernel's wall clock, so it is set for this process only. */
function setClock({ set, pass }: { set: number; pass: number }): void {
	const { Date: RealDate } = globalThis
	const monotonic = performance.now.bind(performance)
	const now = () => RealDate.now() + (set + pass) * 1000
	globalThis.Date = class extends RealDate {
		constructor(...given: [] | [number | string]) {
			super(given.length === 0 ? now() : given[0])
		}
		static override now = now
	} as DateConstructor
	performance.now = () => monotonic() + pass * 1000
}
