import type { Job } from '../../runtime/kube/index.ts'

/** How much of its node the agent's container can access: everything, or only what a run needs (hardened). Pure. */

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>
type Container = PodSpec['containers'][number]
type SecurityContext = NonNullable<Container['securityContext']>
type HostPaths = { volumes: NonNullable<PodSpec['volumes']>; mounts: NonNullable<Container['volumeMounts']> }

/**
 * The capabilities that a run needs as root: change the group of files (CHOWN: networkd's files belong to its group), configure the network
 * (NET_ADMIN), send ARP probes (NET_RAW), run the host's programs on the host's files (SYS_CHROOT).
 */
export const HARDENED_CAPABILITIES = ['CHOWN', 'NET_ADMIN', 'NET_RAW', 'SYS_CHROOT']

/**
 * Not confined by SELinux and AppArmor, like a privileged container: SELinux would deny every file of the host, AppArmor the system bus,
 * which is needed to call systemd.
 */
const hardened: SecurityContext = {
	privileged: false,
	allowPrivilegeEscalation: false,
	readOnlyRootFilesystem: true,
	capabilities: { drop: ['ALL'], add: HARDENED_CAPABILITIES },
	seccompProfile: { type: 'RuntimeDefault' },
	seLinuxOptions: { type: 'spc_t' },
	appArmorProfile: { type: 'Unconfined' },
}

export function securityContext(privileged: boolean): SecurityContext {
	return privileged ? { privileged: true } : hardened
}

/** What a run writes to: files for boot, the lock and files of this boot, its rollback and record, settings of links. */
const WRITTEN = { etc: '/etc', run: '/run', state: '/var/lib/multinic', sysctl: '/proc/sys/net' }

/** Mounts the host's root at /host; in hardened mode read-only, except for what a run writes to. */
export function hostPaths(privileged: boolean): HostPaths {
	const root = { name: 'host', hostPath: { path: '/', type: 'Directory' } }
	if (privileged) return { volumes: [root], mounts: [{ name: 'host', mountPath: '/host' }] }
	const written = Object.entries(WRITTEN).map(([name, path]) => ({ name: `host-${name}`, path }))
	return {
		volumes: [
			root,
			...written.map(({ name, path }) => ({
				name,
				hostPath: { path, type: path === WRITTEN.state ? 'DirectoryOrCreate' : 'Directory' },
			})),
		],
		mounts: [
			{ name: 'host', mountPath: '/host', readOnly: true, recursiveReadOnly: 'IfPossible' },
			...written.map(({ name, path }) => ({ name, mountPath: `/host${path}` })),
		],
	}
}
