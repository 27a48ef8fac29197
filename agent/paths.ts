/** Every path on the host that a run may read or write, below the host's root. */

export const NETPLAN_FOLDERS = ['/etc/netplan', '/run/netplan', '/lib/netplan']
export const NETWORK_FOLDER = '/run/systemd/network'
export const UDEV_RUN_FOLDER = '/run/udev/rules.d'
export const UDEV_ETC_FOLDER = '/etc/udev/rules.d'
export const CLOUD_INIT_FOLDER = '/etc/cloud/cloud.cfg.d'
export const CLOUD_INIT_DISABLED = '/etc/cloud/cloud-init.disabled'
export const RESOLV_CONF = '/etc/resolv.conf'
/** Whom systemd-resolved asks. */
export const RESOLVED_UPLINK = '/run/systemd/resolve/resolv.conf'

/** Ours alone. Made by the first run that changes something, and removed with the last interface. */
export const STATE_FOLDER = '/var/lib/multinic'
export const RECORD_PATH = `${STATE_FOLDER}/record.json`
/** The armed recipe. Its renaming to COMMITTED_FOLDER is the moment of commit. */
export const UNDO_FOLDER = `${STATE_FOLDER}/undo`
export const COMMITTED_FOLDER = `${STATE_FOLDER}/committed`
export const LOCK_FOLDER = '/run/multinic'
/** Gone with the boot. */
export const SCRATCH_FOLDER = `${LOCK_FOLDER}/scratch`

/** @returns where netplan is told of one interface */
export const netplanPath = (name: string) => `/etc/netplan/99-${name}.yaml`
/** @returns where its settings are kept for the next boot */
export const sysctlPath = (name: string) => `/etc/sysctl.d/99-${name}.conf`

/** @returns what netplan's generator makes of one interface: its .link, .network and udev rule */
export function generatedPaths(name: string): string[] {
	return [
		`${NETWORK_FOLDER}/10-netplan-${name}.link`,
		`${NETWORK_FOLDER}/10-netplan-${name}.network`,
		`${UDEV_RUN_FOLDER}/99-netplan-${name}.rules`,
	]
}

/** @returns every file that speaks of one interface */
export function pathsOf(name: string): string[] {
	return [netplanPath(name), sysctlPath(name), ...generatedPaths(name)]
}
