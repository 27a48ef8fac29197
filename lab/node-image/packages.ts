/**
 * What a node is made of: systemd-networkd with netplan, containerd with crun, and what a person looks for when something is wrong.
 * NetworkManager and cloud-init are there and off, for machines that are asked for with them.
 */
export const nodePackages = [
	'systemd',
	'systemd-sysv',
	'udev',
	'dbus',
	'kmod',
	'netplan.io',
	'network-manager',
	'libpam-systemd', // debootstrap does not know that it provides the logind NetworkManager's polkitd depends on,
	'cloud-init',
	'python3-cffi-backend', // nor that it provides what cloud-init's python3-cryptography depends on
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

/** What the images of the project stand on, beside Node: the agent works with `ip`, `arping` and `ping`. */
export const baseImagePackages = ['iproute2', 'iputils-arping', 'iputils-ping', 'ca-certificates', 'libstdc++6'] as const
