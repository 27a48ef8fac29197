import type { Drift } from '../../contract/agent-run.ts'
import { ruleSelector } from '../ip/format-selector.ts'
import { tableWord } from '../ip/table-names.ts'
import type { Address } from '../model/address.ts'
import type { Action, Change, Step } from '../model/change.ts'
import { ruleKey } from '../model/desired-rules.ts'
import type { FileState, HostState, Link, Rule } from '../model/host-state.ts'
import { hasMetric, linksOf, type Route, routeKey } from '../model/route.ts'
import { detailsOf as addressDetails } from '../plan/address-details.ts'

/** Maximum number of entries for one interface, enough for a human reader. */
export const DRIFT_MAX = 20

/**
 * Describes drift by the changes that would repair it, so that there is no second definition of the desired state. A step that only
 * prepares or completes another one (a link set down for a rename, and what is restored afterwards) is not drift.
 */
export function driftOf(steps: readonly Step[], host: HostState): Drift[] {
	const found = steps.flatMap((step, at) => {
		const drift = driftOfStep(step, steps.slice(at + 1), host)
		return drift ? [{ ...drift, ...(step.id === undefined && ofLink(step, host)) }] : []
	})
	return withoutRepeats(found).slice(0, DRIFT_MAX)
}

/** A plan may add the same route in two places. */
function withoutRepeats(found: readonly Drift[]): Drift[] {
	const words = found.map(drift => JSON.stringify(drift))
	return found.filter((_, at) => words.indexOf(words[at] ?? '') === at)
}

/** @returns `mtu is 1500, not 1450`, `10.0.0.23/24 is missing` */
export function driftWords({ attribute, of, link, wanted, found }: Drift): string {
	const prefix = link === undefined ? '' : `${link}: `
	const noun = ['address', 'file'].includes(attribute) ? '' : `${attribute} `
	if (found === 'missing') return `${prefix}${noun}${of ?? wanted} is missing`
	if (wanted === 'none') return `${prefix}${noun}${of ?? found} is unexpected`
	return `${prefix}${of ?? attribute} ${attribute === 'file' ? 'has' : 'is'} ${found}, not ${wanted}`
}

/** A step that belongs to no interface must name the link that it affects. */
function ofLink({ change, action }: Step, { links }: HostState): Pick<Drift, 'link'> {
	const what = change ?? action
	const ifindex = 'link' in what ? what.link : 'route' in what ? linksOf(what.route)[0] : undefined
	const name = what.kind === 'sysctl' ? what.name : links.find(link => link.ifindex === ifindex)?.name
	return name === undefined ? {} : { link: name }
}

/**
 * Whether a later step makes this one irrelevant. Only the last rename or state of a link counts, and an address that is removed and added
 * again is one difference.
 */
function isOverruled(change: Change, later: readonly Step[]): boolean {
	const isOfDetails = change.kind === 'removeAddress' && !change.address.duplicate && noteOf(change.address) !== ''
	if (isOfDetails || change.kind === 'addAddress')
		return later.some(
			({ change: other }) => other?.kind === 'addAddress' && other.link === change.link && other.address.cidr === change.address.cidr,
		)
	if (change.kind === 'rename') return later.some(({ change: other }) => other?.kind === 'rename' && other.link === change.link)
	return change.kind === 'down' && later.some(({ change: other }) => other?.kind === 'up' && other.link === change.link)
}

function driftOfStep({ change, action }: Step, later: readonly Step[], host: HostState): Drift | undefined {
	if (action) return managerDrift(action, host)
	return isOverruled(change, later) ? undefined : driftOfChange(change, host)
}

function driftOfChange(change: Change, host: HostState): Drift | undefined {
	if ('path' in change) return fileDrift(change, host.files[change.path])
	if (change.kind === 'sysctl') return settingDrift(change, host)
	if ('route' in change) return routeDrift(change, host)
	if ('rule' in change) return ruleDrift(change, host)
	const link = 'link' in change ? host.links.find(({ ifindex }) => ifindex === change.link) : undefined
	return link && linkDrift(change, link)
}

function linkDrift(change: Change, link: Link): Drift | undefined {
	switch (change.kind) {
		case 'rename':
			return differenceIn('name', change.to, link.name)
		case 'mtu':
			return differenceIn('mtu', String(change.bytes), String(link.mtu))
		case 'up':
		case 'down':
			return differenceIn('state', change.kind, link.up ? 'up' : 'down')
		case 'addAltname':
			return { attribute: 'altname', wanted: change.name, found: 'missing' }
		case 'removeAltname':
			return { attribute: 'altname', wanted: 'none', found: change.name }
		case 'addAddress':
		case 'removeAddress':
			return addressDrift(change, link)
		default:
			return undefined
	}
}

function differenceIn(attribute: Drift['attribute'], wanted: string, found: string): Drift | undefined {
	return wanted === found ? undefined : { attribute, wanted, found }
}

function addressDrift({ kind, address }: Extract<Change, { address: unknown }>, { addresses }: Link): Drift | undefined {
	const { cidr } = address
	const now = addresses.find(had => had.cidr === cidr)
	if (kind === 'removeAddress') return now && { attribute: 'address', wanted: 'none', found: `${cidr}${noteOf(now)}` }
	const wanted = `${cidr}${noteOf(address)}`
	return now ? differenceIn('address', wanted, `${cidr}${noteOf(now)}`) : { attribute: 'address', wanted, found: 'missing' }
}

/** @returns ` (a lease, metric 513)`; empty for an address without special attributes */
function noteOf(address: Address): string {
	const details = addressDetails(address)
	return details.length > 0 ? ` (${details.join(', ')})` : ''
}

function managerDrift(action: Action, { links }: HostState): Drift | undefined {
	const isHeld = action.kind === 'unmanage' && links.some(({ ifindex }) => ifindex === action.link)
	return isHeld ? { attribute: 'manager', wanted: 'no daemon', found: 'NetworkManager' } : undefined
}

function routeDrift({ kind, route }: Extract<Change, { route: Route }>, { routes }: HostState): Drift | undefined {
	const found = routes.find(other => routeKey(other) === routeKey(route))
	const words = routeWords(route)
	if (kind === 'removeRoute') return found && { attribute: 'route', wanted: 'none', found: words }
	if (!found) return { attribute: 'route', wanted: words, found: 'missing' }
	const [now, then] = [routeDetails(found), routeDetails(route)]
	return now === then ? undefined : { attribute: 'route', of: words, wanted: then, found: now }
}

/** Formats the attributes that may differ between two otherwise identical routes. */
function routeDetails({ scope, source, onlink, metrics, encap, nextHopId }: Route): string {
	const extra = [
		source === undefined ? '' : `src ${source}`,
		onlink ? 'onlink' : '',
		...Object.entries(metrics ?? {}).map(([name, value]) => `${name} ${value}`),
		encap === undefined ? '' : `encap ${encap}`,
		nextHopId === undefined ? '' : `nhid ${nextHopId}`,
	]
	return [`scope ${scope === 253 ? 'link' : scope === 0 ? 'global' : scope}`, ...extra].filter(Boolean).join(' ')
}

function routeWords(route: Route): string {
	const { to, via, table, metric } = route
	const more = hasMetric(route) ? ` metric ${metric}` : ''
	return `${to}${via === undefined ? '' : ` via ${via}`} table ${tableWord(table)}${more}`
}

function ruleDrift({ kind, rule }: Extract<Change, { rule: Rule }>, { rules }: HostState): Drift | undefined {
	const words = `${ruleSelector(rule)} table ${tableWord(rule.table)} priority ${rule.priority}`
	if (kind === 'removeRule') return { attribute: 'rule', wanted: 'none', found: words }
	const isThere = rules.some(other => other.plain && ruleKey(other) === ruleKey(rule))
	return isThere ? undefined : { attribute: 'rule', wanted: words, found: 'missing' }
}

function settingDrift({ name, key, value }: Extract<Change, { kind: 'sysctl' }>, { links }: HostState): Drift | undefined {
	const found = links.find(link => link.name === name)?.sysctls[key]
	return { attribute: 'sysctl', of: key, wanted: value, found: found ?? 'unknown' }
}

/** Does not report the content of a file, because it may come from another program and contain secrets. */
function fileDrift(change: Extract<Change, { path: string }>, now: FileState | undefined): Drift {
	const common = { attribute: 'file', of: change.path } as const
	if (change.kind === 'removeFile') return { ...common, wanted: 'none', found: 'there' }
	const { file } = change
	if (!now) return { ...common, wanted: 'there', found: 'missing' }
	if (now.content !== file.content) return { ...common, wanted: 'the expected content', found: 'different content' }
	return { ...common, wanted: `mode ${file.mode.toString(8)}`, found: `mode ${now.mode.toString(8)}` }
}
