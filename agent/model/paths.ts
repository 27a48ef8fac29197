import { interfaceName, MAX_INTERFACES } from '../../contract/names.ts'

/** Every path on the host that a run may read or write, below the host's root. */

export const NETPLAN_FOLDERS = ['/etc/netplan', '/run/netplan', '/lib/netplan']
/** Where systemd-networkd and udev look for .network and .link files, in order. */
export const NETWORK_FOLDERS = [
	'/etc/systemd/network',
	'/run/systemd/network',
	'/usr/local/lib/systemd/network',
	'/usr/lib/systemd/network',
]
export const NETWORK_FOLDER = '/run/systemd/network'
export const UDEV_RUN_FOLDER = '/run/udev/rules.d'
export const UDEV_ETC_FOLDER = '/etc/udev/rules.d'
/** Where udev looks for rules: of several files with the same name it reads the one in the first directory. */
export const UDEV_FOLDERS = [UDEV_ETC_FOLDER, UDEV_RUN_FOLDER, '/usr/local/lib/udev/rules.d', '/usr/lib/udev/rules.d', '/lib/udev/rules.d']
/**
 * Profiles in NetworkManager's own format. They may contain secrets of other programs, so the agent keeps only those that mention managed
 * MACs.
 */
export const KEYFILE_FOLDER = '/etc/NetworkManager/system-connections'
/** Profiles in the format of RHEL 7 and 8. */
export const SCRIPTS_FOLDER = '/etc/sysconfig/network-scripts'
export const CLOUD_INIT_CONFIG = '/etc/cloud/cloud.cfg'
export const CLOUD_INIT_FOLDER = '/etc/cloud/cloud.cfg.d'
export const CLOUD_INIT_DISABLED = '/etc/cloud/cloud-init.disabled'
/** File of MultiNIC that disables cloud-init's network configuration. */
export const CLOUD_INIT_OFF = `${CLOUD_INIT_FOLDER}/99-multinic.cfg`
/** Where cloud-init stores the NICs of the instance; the format depends on its version. */
export const CLOUD_INIT_CACHES = ['/var/lib/cloud/instance/obj.pkl', '/var/lib/cloud/instance/network-config.json']
/**
 * The cloud that cloud-init detected, and the settings of user and vendor data for this instance. Both may contain secrets, so the agent
 * does not keep their content.
 */
export const CLOUD_INIT_ID = '/run/cloud-init/cloud-id'
export const CLOUD_INIT_INSTANCE = '/var/lib/cloud/instance/cloud-config.txt'
export const RESOLV_CONF = '/etc/resolv.conf'
/** The nameservers that systemd-resolved queries. */
export const RESOLVED_UPLINK = '/run/systemd/resolve/resolv.conf'

/** Used by MultiNIC only. Created by the first run that changes something, and removed with the last interface. */
export const STATE_FOLDER = '/var/lib/multinic'
export const RECORD_PATH = `${STATE_FOLDER}/record.json`
/**
 * The armed undo. Renaming it to COMMITTED_FOLDER is the moment of commit; renaming it to UNDOING_FOLDER starts the rollback. Only one of
 * these renames succeeds.
 */
export const UNDO_FOLDER = `${STATE_FOLDER}/undo`
export const UNDOING_FOLDER = `${STATE_FOLDER}/undoing`
export const COMMITTED_FOLDER = `${STATE_FOLDER}/committed`
/** Lost at reboot. */
export const LOCK_FOLDER = '/run/multinic'
export const SCRATCH_FOLDER = `${LOCK_FOLDER}/scratch`

/** @returns the netplan file of one interface */
export const netplanPath = (name: string) => `/etc/netplan/99-${name}.yaml`
/** @returns the file that sets its sysctls at the next boot */
export const sysctlPath = (name: string) => `/etc/sysctl.d/99-${name}.conf`
/** @returns the udev rule that determines its name: it sorts after netplan's rules, `99-netplan-….rules` */
export const rulePath = (name: string) => `${UDEV_ETC_FOLDER}/99-z-${name}.rules`
/** @returns its profile in NetworkManager's own format */
export const keyfilePath = (name: string) => `${KEYFILE_FOLDER}/${name}.nmconnection`
/** @returns its .link file, if no generator makes one */
export const linkPath = (name: string) => `/etc/systemd/network/70-${name}.link`
/** @param kind `ifcfg`, or a file that accompanies it: `route`, `route6`, `rule`, `rule6` */
export const scriptPath = (kind: string, name: string) => `${SCRIPTS_FOLDER}/${kind}-${name}`

/** The files that netplan's generator makes for one interface. */
export const generated = {
	link: (name: string) => `${NETWORK_FOLDER}/10-netplan-${name}.link`,
	network: (name: string) => `${NETWORK_FOLDER}/10-netplan-${name}.network`,
	rule: (name: string) => `${UDEV_RUN_FOLDER}/99-netplan-${name}.rules`,
	profile: (name: string) => `/run/NetworkManager/system-connections/netplan-${name}.nmconnection`,
}

/**
 * The files that netplan's generator makes for udev and NetworkManager, covering all NICs. A run changes neither; a boot makes both again.
 */
export const MADE_AT_BOOT = [`${UDEV_RUN_FOLDER}/90-netplan.rules`, '/run/NetworkManager/conf.d/netplan.conf']

/** @returns every file that may mention one interface, whatever the backend */
export function pathsOf(name: string): string[] {
	const scripts = ['ifcfg', 'route', 'route6', 'rule', 'rule6'].map(kind => scriptPath(kind, name))
	const made = Object.values(generated).map(of => of(name))
	return [netplanPath(name), sysctlPath(name), rulePath(name), keyfilePath(name), linkPath(name), ...scripts, ...made]
}

/** Every file that a run may write, except its record. */
export const OUR_PATHS: ReadonlySet<string> = new Set([
	...Array.from({ length: MAX_INTERFACES }, (_, id) => pathsOf(interfaceName(id))).flat(),
	CLOUD_INIT_OFF,
])

/** @returns whether udev reads this file */
export function isOfUdev(path: string): boolean {
	return path.endsWith('.rules') || path.endsWith('.link')
}

/** @returns whether NetworkManager reads this file */
export function isProfile(path: string): boolean {
	return [KEYFILE_FOLDER, '/run/NetworkManager/system-connections', SCRIPTS_FOLDER].some(folder => path.startsWith(`${folder}/`))
}

/** @returns the path below /proc/sys of the key `ipv4/arp_ignore`: `net/ipv4/conf/NAME/arp_ignore` */
export function settingPath(name: string, key: string): string {
	const [family = '', setting = ''] = key.split('/')
	return `net/${family}/conf/${name}/${setting}`
}
