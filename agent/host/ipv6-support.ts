import { isFailure, wordsOf } from '../model/failure.ts'
import type { Link } from '../model/host-state.ts'
import { readSetting } from './read-files.ts'

/** EAFNOSUPPORT, as `ip -6` prints it on a kernel started with `ipv6.disable=1`, or built without IPv6 or IPv6 policy rules. */
const UNSUPPORTED = 'Address family not supported by protocol'

/**
 * @param error why `ip -6` failed
 * @returns undefined if the cause is that the kernel has no IPv6
 * @throws any other error
 */
export function ignoreMissingIpv6(error: unknown): undefined {
	if (isFailure(error) && error.code === 'COMMAND_FAILED' && wordsOf(error).includes(UNSUPPORTED)) return undefined
	throw error
}

/**
 * @returns whether the kernel rejects IPv6 addresses on a link. A link with an MTU below 1280 has no setting; the default of new links
 *   applies to it.
 */
export function isIpv6Disabled(root: string, { name }: Pick<Link, 'name'>): boolean {
	const settingOf = (folder: string) => readSetting(`${root}/proc/sys/net/ipv6/conf/${folder}/disable_ipv6`)
	return (settingOf(name) ?? settingOf('default')) === '1'
}
