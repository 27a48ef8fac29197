/** Units that a lab node does not need. Each would add seconds to the boot, because starting a process takes 0.1 s on this kernel. */
export const maskedUnits = [
	'apt-daily.timer',
	'apt-daily-upgrade.timer',
	'dpkg-db-backup.timer',
	'e2scrub_all.timer',
	'e2scrub_reap.service',
	'fstrim.timer',
	'man-db.timer',
	'getty@tty1.service',
	'serial-getty@ttyS0.service',
	'systemd-networkd-wait-online.service',
	'systemd-timesyncd.service',
	'systemd-pstore.service',
	'kmod-static-nodes.service',
	...['configfs', 'dm_mod', 'drm', 'efi_pstore', 'fuse', 'loop'].map(module => `modprobe@${module}.service`),
] as const

/** Units that are disabled unless a machine requests them. */
export const disabledUnits = ['NetworkManager.service', 'NetworkManager-dispatcher.service', 'NetworkManager-wait-online.service'] as const
