import type { Job } from '../runtime/kube/kinds.ts'

/** How much of its node the agent's container gets: all of it, or what a run needs (hardened). Pure. */

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>
type Container = PodSpec['containers'][number]
type SecurityContext = NonNullable<Container['securityContext']>
type HostPaths = { volumes: NonNullable<PodSpec['volumes']>; mounts: NonNullable<Container['volumeMounts']> }

/**
 * What a run does as root and could not do without: change groups of files (CHOWN: networkd's files belong to its group), the network
 * (NET_ADMIN), ask the wire (NET_RAW: ARP probes), run the host's programs on the host's files (SYS_CHROOT).
 */
export const HARDENED_CAPABILITIES = ['CHOWN', 'NET_ADMIN', 'NET_RAW', 'SYS_CHROOT']

/**
 * Without confinement by SELinux and AppArmor, as a privileged container is: the first would refuse every file of the host, the second
 * the system bus, over which systemd is asked.
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

/** What a run writes to: files for boot, the lock and files of this boot, its undo and record, settings of links. */
const WRITTEN = { etc: '/etc', run: '/run', state: '/var/lib/multinic', sysctl: '/proc/sys/net' }

/** The host's root at /host; hardened, it can only be read, but for what a run writes to. */
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
