import { execa } from 'execa'
import { allBinaries, findKit } from '../lab/kit/kit.ts'
import { databasePackages, monitoringPackages, probePackages, unpackPackages } from '../lab/base/packages.ts'
import { prepareLab } from '../lab/setup/prepare.ts'
import { installSchemathesis } from './openapi/schemathesis.ts'

/**
 * One part of the test suite. `name` is the name of its vitest project; `prepare` does in advance what would exceed the timeout of a test.
 */
export interface Part {
	readonly name: string
	readonly what: string
	readonly prepare?: () => Promise<unknown>
	/** Runs only when requested by name: `npm run test:long`. */
	readonly isLong?: true
}

/** The parts of the test suite, fastest first, and what each one needs. */
export const parts: readonly Part[] = [
	{ name: 'pure', what: 'tables and properties: no root, no network' },
	{ name: 'process', what: 'the programs as processes: their settings and how they exit' },
	{ name: 'played', what: 'a simulated API server, and a controller under every fault' },
	{ name: 'kernel', what: 'the agent on the real kernel, in network namespaces', prepare: () => unpackPackages(probePackages) },
	{ name: 'cluster', what: 'real etcd, kube-apiserver and MariaDB, and promtool', prepare: prepareCluster },
	{ name: 'lab', what: 'the lab itself: start, stop, signals', prepare: () => prepareLab(2) },
	{ name: 'vm', what: 'real nodes: kernel, systemd, netplan, containerd, kubelet, reboot', prepare: () => prepareLab(2) },
	{ name: 'long', what: 'tests that take too long for every change', prepare: prepareLong, isLong: true },
	{ name: 'mutation', what: 'whether the pure tests detect changed decisions', prepare: installStryker, isLong: true },
]

/** Reasons for which a test may be skipped in CI. A VM that did not boot is not one of them. */
export const expectedSkips: readonly string[] = []

async function prepareCluster(): Promise<void> {
	await findKit(allBinaries)
	await unpackPackages(monitoringPackages)
	await unpackPackages(databasePackages)
}

async function prepareLong(): Promise<void> {
	await prepareLab(2)
	await unpackPackages(databasePackages)
	await installSchemathesis()
}

/** Installed only for the mutation run, because it would make every other setup a third slower. */
async function installStryker(): Promise<void> {
	const packages = ['api', 'core', 'instrumenter', 'vitest-runner'].map(name => `@stryker-mutator/${name}@10.1.1`)
	await execa('npm', ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', ...packages], { stdio: 'inherit' })
}
