import type { Family, Link } from '../model/host-state.ts'
import { settingPath } from '../model/paths.ts'
import { readSetting } from './read-files.ts'

const SETTING = 'ignore_routes_with_linkdown'

/**
 * @returns the address families in which the kernel ignores routes over this link, because it has no carrier; for IPv4, the setting of
 *   `all` also applies
 * @see ip-sysctl, ignore_routes_with_linkdown
 */
export function ignoredFamilies(root: string, { name, up, carrier }: Link): Pick<Link, 'ignored'> {
	if (!up || carrier) return {}
	const isOn = (folder: string, family: Family) => readSetting(`${root}/proc/sys/${settingPath(folder, `ipv${family}/${SETTING}`)}`) === '1'
	const ignored = ([4, 6] as const).filter(family => isOn(name, family) || (family === 4 && isOn('all', family)))
	return ignored.length > 0 ? { ignored } : {}
}
