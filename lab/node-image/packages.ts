/** What a node is made of: systemd-networkd with netplan, containerd with crun, and what a person looks for when something is wrong. */
export const nodePackages = [
	'systemd',
	'systemd-sysv',
	'udev',
	'dbus',
	'kmod',
	'netplan.io',
	'iproute2',
	'iputils-ping',
	'ethtool',
	'containerd',
	'crun',
	'containernetworking-plugins',
	'openssh-server',
	'ca-certificates',
	'procps',
] as const

/** What the images of the project stand on, beside Node: the agent works with `ip`. */
export const baseImagePackages = ['iproute2', 'ca-certificates', 'libstdc++6'] as const
