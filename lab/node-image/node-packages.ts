/**
 * The packages of a node: systemd-networkd with netplan, containerd with crun, and tools for troubleshooting. NetworkManager and cloud-init
 * are installed but disabled; a machine can request them.
 */
export const nodePackages = [
	'systemd',
	'systemd-sysv',
	'udev',
	'dbus',
	'kmod',
	'netplan.io',
	'network-manager',
	'libpam-systemd', // provides the logind that NetworkManager's polkitd depends on; debootstrap does not resolve that
	'cloud-init',
	'python3-cffi-backend', // provides a dependency of cloud-init's python3-cryptography; debootstrap does not resolve that either
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
