import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../runtime/errors.ts'
import { runProcess } from '../../../runtime/process.ts'

/** A process that behaves as its first argument says; ends.process.test.ts starts it. */
await runProcess('room', {}, async ({ signal, log }) => {
	switch (process.argv[2]) {
		case 'misconfigured':
			throw new Failure('CONFIG_INVALID', 'PORT is required and not set')
		case 'throws':
			throw new Error('no such thing')
		case 'rejects':
			void Promise.reject(new Error('nobody looked'))
			await sleep(60_000)
			break
		case 'serves':
			log.info('ready')
			await new Promise<void>(resolve => {
				const open = setInterval(() => {}, 1_000)
				signal.addEventListener('abort', () => {
					clearInterval(open)
					resolve()
				})
			})
	}
})
