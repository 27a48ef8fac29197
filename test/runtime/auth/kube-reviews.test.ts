import { expect, onTestFinished, test, vi } from 'vitest'
import { createAuth } from '../../../runtime/auth/auth.ts'
import { createKubeReviews } from '../../../runtime/auth/kube-reviews.ts'
import { createLog } from '../../../runtime/log.ts'

/** Reviews by an API server that accepts every token until `revoke`. */
function start() {
	let authenticated = true
	const status = () => ({ authenticated, audiences: ['multinic'], user: { username: 'u' } })
	const raw = async () => ({ status: status() }) as never
	const log = createLog('test', { level: 'silent' })
	const reviews = createKubeReviews({ raw }, { resource: 'nodeconfigs', group: 'g', namespace: 'n', log })
	return {
		reviews,
		revoke: () => {
			authenticated = false
		},
	}
}

test('a revoked token is refused after 30 s, even if the clock of the machine is set back by an hour', async () => {
	vi.useFakeTimers({ toFake: ['Date', 'performance'] })
	onTestFinished(() => void vi.useRealTimers())
	const { reviews, revoke } = start()
	expect(await reviews.identify('a.b.c')).toEqual({ username: 'u' })
	revoke()
	vi.setSystemTime(Date.now() - 3_600_000)
	vi.advanceTimersByTime(30_000)
	expect(await reviews.identify('a.b.c')).toBeUndefined()
})

test('a token that was valid at its last review is known, and any other is not', async () => {
	const { reviews, revoke } = start()
	const auth = createAuth({ kubernetes: { reviews, resource: 'nodeconfigs' } })
	expect(auth.isKnown('Bearer a.b.c')).toBe(false)
	await auth.signIn('Bearer a.b.c')
	revoke()
	await auth.signIn('Bearer d.e.f').catch(() => {})
	expect(['Bearer a.b.c', 'Bearer d.e.f', undefined].map(sent => auth.isKnown(sent))).toEqual([true, false, false])
})
