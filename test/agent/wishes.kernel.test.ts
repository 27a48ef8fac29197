import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSCTL_KEYS } from '../../agent/model/desired-network.ts'
import type { Interface } from '../../contract/interface.ts'
import type { Answered } from './agent-session.ts'
import { anyWish } from './any-wish.ts'
import { type NodeHost, nodeHost, type Session } from './node-host.ts'

/**
 * Applies random configs one after the other: each has the same result as on a fresh host. `SEED` selects the configs, and `WISHES` sets
 * their number.
 */
const isRoot = process.getuid?.() === 0
const WISHES = Number(process.env.WISHES ?? 8)
const SEED = Number(process.env.SEED ?? 1_075_090_324)
const macs = Array.from({ length: 4 }, (_, n) => `fa:16:3e:00:00:0${n}`)

describe.skipIf(!isRoot)('any desired config after any other (needs root for network namespaces)', () => {
	let used: NodeHost
	let fresh: NodeHost

	beforeAll(async () => {
		;[used, fresh] = [await nodeHost(), await nodeHost()]
		for (const host of [used, fresh]) {
			// No other host can have an address here, so the kernel does not have to wait a second for each.
			await host.inside('sysctl', ['-w', 'net.ipv6.conf.default.dad_transmits=0'])
			for (const [n, mac] of macs.entries())
				await host.ip(`link add ens${n} address ${mac} type veth peer name peer${n}\nlink set peer${n} up`)
		}
	})
	afterAll(() => {
		used?.close()
		fresh?.close()
	})

	test(`${WISHES} random configs, SEED=${SEED}: each has the same result as on a fresh host, and a second run changes nothing`, async () => {
		const wishes = fc.sample(anyWish(macs, macs.length), { numRuns: WISHES, seed: SEED })
		const before = await used.everything()
		const [onUsed, onFresh] = [used.session(), fresh.session()]
		for (const [at, wish] of wishes.entries()) {
			const place = `wish ${at} of SEED=${SEED}, after ${JSON.stringify(wishes[at - 1])}: ${JSON.stringify(wish)}`
			// In every third run, a link must be down to be renamed.
			const renameDown = at % 3 === 2
			const alone = onFresh([], { mode: 'Cleanup' }).then(() => carriedOut(onFresh, wish, { place, renameDown: false }))
			const [answer, expected] = await Promise.all([carriedOut(onUsed, wish, { place, renameDown }), alone])
			expect(stateOf(answer), place).toEqual(stateOf(expected))
			expect(await settingsOf(used, wish), place).toBe(await settingsOf(fresh, wish))
		}
		await onUsed([], { mode: 'Cleanup' })
		expect(await used.everything()).toEqual(before)
	})
})

async function carriedOut(session: Session, wish: Partial<Interface>[], { place, renameDown }: { place: string; renameDown: boolean }) {
	const first = await session(wish, {}, renameDown ? { how: 'fail', renameDown } : undefined)
	expect(first.report, `${place}: ${first.said}`).toMatchObject({ outcome: 'Succeeded' })
	const second = await session(wish)
	expect(second.report, `${place}, again: ${second.said}`).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	return second
}

/** @returns path and value of each setting; `grep` prints nothing for missing files, on either host */
async function settingsOf(host: NodeHost, wish: readonly Partial<Interface>[]): Promise<string> {
	const paths = wish.flatMap(({ id }) => SYSCTL_KEYS.map(key => `/proc/sys/net/${key.replace('/', `/conf/multinic${id}/`)}`))
	const { stdout } = await host.inside('grep', ['-H', '.', ...paths])
	return stdout
}

/** The kernel state of the managed NICs, by name instead of index. */
function stateOf({ kernel: { links, routes, rules } }: Answered) {
	const nics = links.filter(({ address }) => macs.includes(String(address)))
	const names = new Set(nics.map(({ ifname }) => ifname))
	return {
		links: nics
			.map(({ address, ifname, mtu, flags, addr_info }) => ({
				address,
				ifname,
				mtu,
				up: (flags as string[]).includes('UP'),
				addresses: (addr_info as Record<string, unknown>[])
					.filter(({ scope }) => scope === 'global')
					.map(({ local, prefixlen }) => `${local}/${prefixlen}`)
					.toSorted(),
			}))
			.toSorted((a, b) => (String(a.address) < String(b.address) ? -1 : 1)),
		routes: routes
			.filter(({ dev, dst }) => names.has(dev) && !/^(fe80|ff00|multicast)/.test(String(dst)))
			.map(route => JSON.stringify(route))
			.toSorted(),
		rules: rules.map(rule => JSON.stringify(rule)).toSorted(),
	}
}
