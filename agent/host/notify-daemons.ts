import { setTimeout as sleep } from 'node:timers/promises'
import type { Notice } from '../model/change.ts'
import { execOnHost, runOnHost } from './exec.ts'
import { exists } from './files.ts'

/** Sends a notice to a daemon of the host. @throws Failure COMMAND_FAILED */
export async function notifyDaemon(root: string, notice: Notice): Promise<void> {
	switch (notice.kind) {
		case 'waitForNames':
			return await waitForNames(root, notice.names)
		case 'unmanage':
		case 'manage':
			return await runOnHost(root, 'nmcli', ['device', 'set', notice.name, 'managed', notice.kind === 'manage' ? 'yes' : 'no'])
		case 'reloadUdev':
			return await runOnHost(root, 'udevadm', ['control', '--reload'])
		case 'loadProfiles':
			return await runOnHost(root, 'nmcli', ['connection', 'load', ...notice.paths])
	}
}

const daemonLists = {
	'systemd-networkd': { folder: '/run/systemd/netif', program: 'networkctl', args: ['list', '--no-legend', '--no-pager'], column: 1 },
	NetworkManager: { folder: '/run/NetworkManager', program: 'nmcli', args: ['-f', 'DEVICE', 'device'], column: 0 },
} as const

/**
 * Waits up to 5 s until udev has processed all events, the daemons know these names, and networkd is not configuring any of them. A timeout
 * is not a failure: the verify step decides.
 */
async function waitForNames(root: string, names: readonly string[]): Promise<void> {
	const end = performance.now() + 5_000
	if (exists(root, '/run/udev/control')) await execOnHost(root, 'udevadm', ['settle', '--timeout=5'])
	const daemons = Object.values(daemonLists).filter(({ folder }) => exists(root, folder))
	for (;;) {
		const known = await Promise.all(daemons.map(daemon => configuredNames(root, daemon)))
		if (performance.now() > end || known.every(list => names.every(name => list.has(name)))) return
		await sleep(100)
	}
}

/** @returns the names of the links that a daemon knows, except those that it is still configuring */
async function configuredNames(
	root: string,
	{ program, args, column }: (typeof daemonLists)[keyof typeof daemonLists],
): Promise<Set<string | undefined>> {
	const { stdout } = await execOnHost(root, program, args)
	const lines = stdout.split('\n').filter(line => !/\b(pending|initialized|configuring)$/.test(line.trim()))
	return new Set(lines.map(line => line.trim().split(/\s+/)[column]))
}
