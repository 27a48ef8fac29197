import { execFileSync } from 'node:child_process'
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmdirSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { namesIn } from '../../agent/host/files.ts'
import { AgentReport } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import { entries, manyRuns } from './many-runs.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { mount, pretendGenerator, pretendSystemd } from './pretend.ts'

/** Faults that a run must tolerate: of the disk, the clock, a NIC or the API server, and a second run. */
const isRoot = process.getuid?.() === 0
const RUNS = 100
const DAY = 86_400

const notYaml =
	'/etc/netplan/50-theirs.yaml cannot be read and may also define multinic0: line 3 has unexpected indentation (cat /etc/netplan/50-theirs.yaml), and also multinic1'
const socket = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'

let host: NodeHost

describe.skipIf(!isRoot)('a run tolerates (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		for (const id of [0, 1, 2]) await addNic(id)
	})
	afterEach(() => host.close())

	test.each(['/var/lib/multinic', '/var/lib', '/etc/netplan', '/etc/sysctl.d'])(
		'a disk that becomes full after any number of files in %s: nothing is changed, and no file remains',
		async folder => {
			const session = host.session()
			const before = await host.everything()
			const open = new Set<number>()
			for (let inodes = 1; ; inodes++) {
				await mount(host, folder, '-t', 'tmpfs', '-o', `nr_inodes=${inodes}`, 'tmpfs')
				const { report, descriptors } = await session(nics([0, 1, 2]))
				open.add(descriptors)
				if (report.outcome === 'Succeeded') {
					expect(inodes).toBeGreaterThan(3)
					expect([...open]).toHaveLength(1)
					return
				}
				expect(report, `${inodes} files`).toMatchObject({ reason: 'CommandFailed', message: expect.stringMatching(/ENOSPC/), changes: 0 })
				expect(report.message).toMatch(/everything was rolled back$|so nothing was changed/)
				expect(await host.everything(), `${inodes} files`).toEqual(before)
				await host.inside('umount', [host.root + folder])
			}
		},
	)

	test('a full disk when the input of the netplan generator is written: nothing is changed', async () => {
		await pretendSystemd(host)
		await pretendGenerator(host, 'exit 0')
		await mount(host, '/run/multinic', '-t', 'tmpfs', '-o', 'nr_inodes=3', 'tmpfs')
		const before = await host.everything()
		const { report } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({
			outcome: 'Failed',
			reason: 'CommandFailed',
			message: expect.stringMatching(/nothing was changed: ENOSPC/),
		})
		expect(await host.everything()).toEqual(before)
	})

	test.each([
		['full', ['-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs'], /nothing was changed: .*ENOSPC/],
		['read-only', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs'], /nothing was changed: .*EROFS/],
	])('a /run that is %s: nothing is changed, and no bug is reported', async (_, how, words) => {
		await mount(host, '/run/multinic', ...how)
		const before = await host.everything()
		const { report, stderr } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', message: expect.stringMatching(words) })
		expect(stderr).not.toContain('bug')
		expect(await host.everything()).toEqual(before)
	})

	test('an invalid netplan file of another program: the NICs are configured, and the report warns that the next boot does not configure them', async () => {
		const theirs = join(host.root, 'etc/netplan/50-theirs.yaml')
		writeFileSync(theirs, 'network:\n  version: 2\n ethernets: [\n')
		await pretendSystemd(host)
		await pretendGenerator(host, refusal)
		const { report } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({
			outcome: 'Succeeded',
			message: 'Configured 2/2',
			// Excludes the line itself, which may contain a secret.
			persistent: {
				status: 'False',
				message: expect.stringMatching(
					/rejects its files \(cat \/etc\/netplan\/50-theirs.yaml\): line 3: Invalid YAML: inconsistent indentation$/,
				),
			},
		})
		expect(readFileSync(theirs, 'utf8')).toBe('network:\n  version: 2\n ethernets: [\n')
	})

	test('an invalid netplan file of another program, without the generator: the file stays unchanged', async () => {
		const theirs = join(host.root, 'etc/netplan/50-theirs.yaml')
		writeFileSync(theirs, 'network:\n  version: 2\n ethernets: [\n')
		const { report } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'False', message: notYaml } })
		expect(readFileSync(theirs, 'utf8')).toBe('network:\n  version: 2\n ethernets: [\n')
	})

	test('a disk that becomes full between two runs: the second run is rolled back', async () => {
		await mount(host, '/etc/netplan', '-t', 'tmpfs', 'tmpfs')
		expect((await host.agent(nics([0, 1, 2]))).report).toMatchObject({ outcome: 'Succeeded' })
		await host.inside('mount', ['-o', 'remount,nr_inodes=4', `${host.root}/etc/netplan`])
		const before = await host.everything()
		const { report } = await host.agent(nics([1, 2]).map(nic => ({ ...nic, mtu: 1300 })))
		expect(report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed', message: expect.stringMatching(/ENOSPC.*rolled back$/) })
		expect(await host.everything()).toEqual(before)
	})

	test('a read-only /etc: everything is rolled back', async () => {
		await readOnly('/etc')
		const before = await host.everything()
		const { report, code } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({ outcome: 'RolledBack', reason: 'CommandFailed', message: expect.stringMatching(/EROFS.*rolled back$/) })
		expect(code).toBe(1)
		expect(await host.everything()).toEqual(before)
	})

	test('a read-only /etc on a host with systemd: nothing is changed', async () => {
		await pretendSystemd(host)
		await readOnly('/etc')
		const before = await host.everything()
		const { report } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({
			outcome: 'Failed',
			reason: 'CommandFailed',
			message: expect.stringMatching(/nothing was changed.*EROFS/),
		})
		expect(await host.everything()).toEqual(before)
	})

	test('a disk that became read-only after an earlier run: nothing is changed', async () => {
		await host.agent(nics([0]))
		for (const folder of ['/etc', '/var']) await readOnly(folder)
		const before = await host.everything()
		const { report } = await host.agent(nics([0, 1]))
		expect(report).toMatchObject({
			outcome: 'Failed',
			reason: 'CommandFailed',
			message: expect.stringMatching(/nothing was changed: EROFS: read-only file system/),
		})
		expect(await host.everything()).toEqual(before)
	})

	test('a state directory on a read-only file system: the message contains the cause', async () => {
		await mount(host, '/var/lib', '-t', 'tmpfs', '-o', 'ro', 'none')
		const { report } = await host.agent(nics([0]))
		expect(report?.message).toMatch(/nothing was changed: EROFS: read-only file system/)
	})

	test.each<[title: string, given: (path: string) => void, path: string]>([
		['a named pipe among the files of netplan', path => execFileSync('mkfifo', [path]), 'etc/netplan/50-x.yaml'],
		['a directory among the files of netplan', path => mkdirSync(path), 'etc/netplan/old.yaml'],
		['a directory among the profiles of NetworkManager', path => mkdirSync(path), 'etc/NetworkManager/system-connections/backup'],
		['a directory among the ifcfg files', path => mkdirSync(path), 'etc/sysconfig/network-scripts/ifcfg-old'],
		['a symlink to itself', path => symlinkSync('loop.yaml', path), 'etc/netplan/loop.yaml'],
		['a named pipe as resolv.conf', path => execFileSync('mkfifo', [path]), 'etc/resolv.conf'],
		['a socket among the settings of cloud-init', path => execFileSync('python3', ['-c', socket, path]), 'etc/cloud/cloud.cfg.d/a.cfg'],
	])('%s, which is ignored because it is not a regular file', async (_, given, path) => {
		mkdirSync(dirname(join(host.root, path)), { recursive: true })
		given(join(host.root, path))
		const { report, stdout } = await host.agent(nics([0]))
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', interfaces: [{ state: 'Configured', warnings: [] }] })
	})

	test.each(['etc/netplan/big.yaml', 'etc/systemd/network/00-big.network', 'etc/udev/rules.d/big.rules'])(
		'the file %s that is too large to read: a warning reports that it may define any NIC',
		async path => {
			mkdirSync(dirname(join(host.root, path)), { recursive: true })
			writeFileSync(join(host.root, path), '')
			truncateSync(join(host.root, path), 600e6)
			const { report } = await host.agent(nics([0, 1]))
			const message = `/${path} cannot be read and may also define multinic0: it is larger than 1 MiB (ls -l /${path}), and also multinic1`
			expect(report).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'False', message } })
			expect(report?.interfaces.map(({ warnings }) => warnings)).toEqual([[{ reason: 'NotPersistent', message }], []])
			expect((await host.agent([])).report?.message).toBe(
				`no interfaces are requested; /${path} cannot be read: it is larger than 1 MiB (ls -l /${path})`,
			)
		},
	)

	test.each([
		['var/lib/multinic/record.json', /^the record of this host .* cannot be read: it is a directory; nothing was changed\. Restore/],
		[
			'var/lib/multinic/undo/undo.json',
			/^the undo that an earlier run left .* cannot be read: it is a directory; nothing was changed\. Check/,
		],
		['etc/netplan/99-multinic0.yaml', /^\/etc\/netplan\/99-multinic0\.yaml cannot be read: it is a directory; nothing was changed\. Move/],
	])('a directory instead of the managed file %s: nothing is changed, and the message contains what to do', async (path, message) => {
		mkdirSync(join(host.root, path), { recursive: true })
		const before = await host.everything()
		const { report, stderr } = await host.agent(nics([0]))
		expect(report).toMatchObject({ outcome: 'Failed', changes: 0, message: expect.stringMatching(message) })
		expect(stderr).not.toContain('bug')
		expect(await host.everything()).toEqual(before)
	})

	test.each(['/var/lib/multinic', '/etc/netplan', '/etc', '/run/multinic'])(
		'%s as an absolute symlink below the root of the host',
		async folder => {
			const outside = mkdtempSync(join(tmpdir(), 'mn-outside-'))
			mkdirSync(dirname(join(host.root, outside)), { recursive: true })
			if (existsSync(host.root + folder)) renameSync(host.root + folder, host.root + outside)
			else mkdirSync(host.root + outside)
			symlinkSync(outside, host.root + folder)
			const { report, stdout } = await host.agent(nics([0]))
			expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
			expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
			expect(readdirSync(outside)).toEqual([])
			rmdirSync(outside)
		},
	)

	test('a termination log on a full disk: the report is still delivered', async () => {
		const { report, code, stdout } = await host.agent(nics([0]), {}, undefined, { TERMINATION_LOG: '/dev/full' })
		expect({ code, outcome: report?.outcome }).toEqual({ code: 0, outcome: 'Succeeded' })
		expect(stdout).toMatch(/^no termination message .*ENOSPC/m)
	})

	test('a NIC that disappears after any number of steps: the others are configured, and the NIC is WaitingForDevice', async () => {
		const session = host.session()
		await session(nics([0, 1, 2]))
		const turned = nics([1, 2, 0])
		const { report } = await session(turned, { mode: 'Plan' })
		const steps = report.plan?.commands.length ?? 0
		expect(steps).toBeGreaterThan(20)
		// Uses different steps each time, so that all are covered over time, because address probes are slow.
		for (let at = Math.floor(Math.random() * 5); at <= steps; at += 5) {
			const [link] = await host.ask('link show dev multinic1')
			const { report: run, said } = await session(turned, {}, { at, how: 'vanish', link: Number(link?.ifindex) })
			expect(
				run.interfaces.map(({ reason }) => reason).filter(reason => reason !== 'AlreadyConfigured'),
				`after ${at} of ${steps}: ${said}`,
			).toEqual(['WaitingForDevice', 'Configured', 'Configured'])
			expect(run).toMatchObject({ outcome: 'PartlyFailed', reason: 'WaitingForDevice' })
			await addNic(1)
			expect((await session(turned)).report, `after ${at}`).toMatchObject({ outcome: 'Succeeded' })
			expect((await session(nics([0, 1, 2]))).report, `after ${at}`).toMatchObject({ outcome: 'Succeeded' })
		}
	})

	test('a kill at any disk access: a later cleanup removes everything of the run', async () => {
		await pretendSystemd(host)
		const session = host.session()
		await session([], { mode: 'Cleanup' })
		const before = { ...(await traces()) }
		for (let touch = 1; ; touch += 5) {
			const { code } = await host.agent(nics([0, 1]), {}, undefined, { NODE_OPTIONS: killedAt(touch) })
			expect((await session([], { mode: 'Cleanup' })).report, `touch ${touch}`).toMatchObject({ outcome: 'Succeeded' })
			expect(await traces(), `touch ${touch}`).toEqual(before)
			if (code !== 0) continue
			expect(touch).toBeGreaterThan(30)
			return
		}
	})

	test('a concurrent second run: it fails, and its message contains the run that has the lock', async () => {
		const hold = { how: 'hold' as const, at: 3, held: join(host.root, 'config/held'), go: join(host.root, 'config/go') }
		const first = host.agent(nics([0, 1]), { generation: 7, attempt: 2 }, hold)
		await expect.poll(() => readdirSync(join(host.root, 'config')).includes('held')).toBe(true)
		const before = await host.everything()
		const second = await host.agent(nics([2]))
		expect(second.code).toBe(1)
		expect(second.report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed' })
		expect(second.report?.message).toMatch(/^another run is in progress on this host: generation 7, attempt 2, since \d\d:\d\d:\d\d$/)
		expect(await host.everything()).toEqual(before)
		writeFileSync(hold.go, '')
		expect((await first).code).toBe(0)
	})

	test('several concurrent runs after an unfinished run: only one of them succeeds, and no lock remains', async () => {
		await host.agent(nics([0, 1]), {}, { how: 'kill', at: 3 })
		const hold = { how: 'hold' as const, at: 3, held: join(host.root, 'config/held'), go: join(host.root, 'config/go') }
		const codes: number[] = []
		const all = [1, 2, 3, 4].map(async () => codes.push((await host.agent(nics([0, 1]), {}, hold)).code))
		await expect
			.poll(() => codes.length === 4 || (codes.length === 3 && readdirSync(join(host.root, 'config')).includes('held')))
			.toBe(true)
		writeFileSync(hold.go, '')
		await Promise.all(all)
		expect(codes).toEqual([1, 1, 1, 0])
		expect(namesIn(host.inner, '/run/multinic')).toEqual([])
	})

	test.each([
		['forward', { set: DAY, pass: 0 }],
		['backward', { set: -DAY, pass: 0 }],
	])('a clock that is set %s between arming and commit: the run succeeds', async (_, clock) => {
		await pretendSystemd(host)
		const { report, said } = await host.session()(nics([0, 1]), { commitTimeoutSeconds: 60 }, { at: 5, how: 'clock', ...clock })
		expect(report, said).toMatchObject({ outcome: 'Succeeded' })
		expect(report.milliseconds.total).toBeGreaterThanOrEqual(0)
		expect(report.milliseconds.total).toBeLessThan(60_000)
	})

	test.each([
		['unchanged', 0],
		['set forward', DAY],
		['set backward', -DAY],
	])('a delay beyond the commit timeout, with the clock %s: everything is rolled back', async (_, set) => {
		await pretendSystemd(host)
		const before = await host.everything()
		const { report } = await host.session()(nics([0, 1]), { commitTimeoutSeconds: 60 }, { at: 5, how: 'clock', set, pass: 58 })
		expect(report).toMatchObject({
			outcome: 'RolledBack',
			reason: 'RolledBack',
			message: expect.stringMatching(/^the run took longer than 60 s/),
		})
		expect(await host.everything()).toEqual(before)
	})

	test('a clock that is set backward while a NIC is missing: the wait for the NIC is not extended', async () => {
		const { report } = await host.session()(nics([0, 3]), { waitForDeviceSeconds: 60 }, { at: 5, how: 'clock', set: -DAY, pass: 61 })
		expect(report).toMatchObject({ outcome: 'PartlyFailed', reason: 'WaitingForDevice' })
	})

	test('an unreachable API server: the node is configured, and the termination log and the exit status report the failure', async () => {
		const [lastWords, account] = [join(host.root, 'config/last-words'), join(host.root, 'config/account')]
		mkdirSync(account)
		writeFileSync(join(account, 'ca.crt'), rootCertificates[0] ?? '')
		writeFileSync(join(account, 'token'), 'a-token')
		writeFileSync(lastWords, '')
		const { code, stdout } = await host.agent(nics([0]), {}, undefined, {
			REPORT_FILE: undefined,
			TERMINATION_LOG: lastWords,
			SERVICE_ACCOUNT: account,
			KUBERNETES_SERVICE_HOST: '127.0.0.1',
			KUBERNETES_SERVICE_PORT: '6443',
			NODE_OPTIONS: swiftTime,
		})
		expect(code).toBe(1)
		expect(stdout).toMatch(/^probes before +api silent$/m)
		expect(stdout).toMatch(/^not reported +the API server could not be reached for a minute: .*ECONNREFUSED/m)
		expect(AgentReport.parse(JSON.parse(readFileSync(lastWords, 'utf8')))).toMatchObject({
			outcome: 'Succeeded',
			message: 'Configured 1/1',
		})
		expect((await host.ask('addr show dev multinic0'))[0]).toMatchObject({ address: mac(0), mtu: 1400 })
		expect(readdirSync(join(host.inner, 'var/lib/multinic'))).toEqual(['record.json'])
	})

	test(`${RUNS} earlier runs, including failed ones: no file or file descriptor is leaked`, async () => {
		const { descriptors, leftBehind } = await manyRuns(host, RUNS)
		expect(descriptors).toEqual({ atFirst: descriptors.atFirst, atLast: descriptors.atFirst })
		expect(leftBehind).toEqual([])
	})
})

async function traces() {
	return { ...((await host.everything()) as object), entries: entries(host) }
}

/** Kills the process before the nth call that writes, renames, removes or syncs. */
function killedAt(touch: number): string {
	return `--import=data:text/javascript,${encodeURIComponent(
		`import fs from 'node:fs'
		import { syncBuiltinESMExports } from 'node:module'
		let left = ${touch}
		for (const name of ['mkdirSync', 'writeFileSync', 'fsyncSync', 'renameSync', 'rmSync', 'rmdirSync']) {
			const real = fs[name]
			fs[name] = (...args) => {
				if (--left === 0) process.kill(process.pid, 'SIGKILL')
				return real(...args)
			}
		}
		syncBuiltinESMExports()`,
	)}`
}

/** The output and exit status of netplan 0.106 for the file in these tests. */
const refusal = `[ -e $2/etc/netplan/50-theirs.yaml ] || exit 0
cat >&2 <<END

** (generate:17596): WARNING **: 18:16:27.710: Permissions for $2/etc/netplan/50-theirs.yaml are too open. Netplan configuration should NOT be accessible by others.
$2/etc/netplan/50-theirs.yaml:3:2: Invalid YAML: inconsistent indentation:
 ethernets: [
 ^
END
exit 1`

/** Makes the agent's clock and timers 30 times as fast. */
const swiftTime = `--import=data:text/javascript,${encodeURIComponent(
	`import { syncBuiltinESMExports } from 'node:module'
	import timers from 'node:timers/promises'
	const [now, timer] = [performance.now.bind(performance), timers.setTimeout]
	performance.now = () => now() * 30
	timers.setTimeout = (wait, ...more) => timer(wait / 30, ...more)
	syncBuiltinESMExports()`,
)}`

async function readOnly(folder: string): Promise<void> {
	await mount(host, folder, '--bind', host.root + folder)
	await host.inside('mount', ['-o', 'remount,bind,ro', host.root + folder])
}

async function addNic(id: number): Promise<void> {
	await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
}

/** The NICs in the order of their new ids. */
function nics(order: readonly number[]): Partial<Interface>[] {
	return order.map((n, id) => ({ id, macAddress: mac(n), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, mtu: 1400 + id }))
}

function mac(n: number): string {
	return `fa:16:3e:00:00:0${n}`
}
