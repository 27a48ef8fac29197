/** The parts of `npm test`, quickest first, and what each stands on. Names are those of the vitest projects. */
export const parts = [
	{ name: 'pure', what: 'tables and properties: no root, no network' },
	{ name: 'kernel', what: 'the agent on the real kernel, in network namespaces' },
	{ name: 'cluster', what: 'real etcd and kube-apiserver' },
	{ name: 'lab', what: 'the lab itself: start, stop, signals' },
	{ name: 'vm', what: 'real nodes: kernel, systemd, netplan, containerd, kubelet, reboot' },
] as const

/** Skips that a CI run may have, by the reason they give. A VM that did not boot is none of them. */
export const expectedSkips: readonly string[] = []
