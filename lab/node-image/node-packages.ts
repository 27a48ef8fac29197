/**
 * The packages of a node: systemd-networkd with netplan, containerd with crun, and tools for troubleshooting. NetworkManager and cloud-init
 * are installed but off, for machines that are requested with them.
 */
export const nodePackages = [
	'systemd',
	'systemd-sysv',
	'udev',
	'dbus',
	'kmod',
	'netplan.io',
	'network-manager',
	'libpam-systemd', // debootstrap does not know that it provides the logind that NetworkManager's polkitd depends on
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
