import type { Job } from '../../runtime/kube/index.ts'

/** What the agent's container can access on its node: everything, or only what a run needs (hardened). Pure. */

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>
type Container = PodSpec['containers'][number]
type SecurityContext = NonNullable<Container['securityContext']>
type HostPaths = { volumes: NonNullable<PodSpec['volumes']>; mounts: NonNullable<Container['volumeMounts']> }

/**
 * The capabilities that a run needs as root: CHOWN to change the group of files (networkd's files belong to networkd's group), NET_ADMIN to
 * configure the network, NET_RAW to send ARP probes, SYS_CHROOT to run the host's programs on the host's files.
 */
export const HARDENED_CAPABILITIES = ['CHOWN', 'NET_ADMIN', 'NET_RAW', 'SYS_CHROOT']

/**
 * Not confined by SELinux and AppArmor, like a privileged container: SELinux would deny access to every file of the host, and AppArmor to
 * the system bus, which is needed to call systemd.
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

/**
 * The host directories that a run writes to: persistent configuration, the lock and runtime files, the undo and the record, and sysctls of
 * links.
 */
const WRITTEN = { etc: '/etc', run: '/run', state: '/var/lib/multinic', sysctl: '/proc/sys/net' }

/** Mounts the host's root at /host; in hardened mode read-only, except for the directories that a run writes to. */
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
