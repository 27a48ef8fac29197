import type { FailedWrite } from '../render/node-page.ts'
import { clean } from '../../contract/clean.ts'
import type { Reason } from '../../contract/reasons.ts'
import { ROLLOUT_CONFIG_MAP } from '../../contract/rollout.ts'
import { isOurEventName } from '../../runtime/event-name.ts'
import { ConfigMap, Event } from '../../runtime/kube/index.ts'
import type { Reading } from './reading.ts'
import { unlessForbidden } from './unless-forbidden.ts'
import type { ConfigView } from '../model/node-config-view.ts'

const REASONS: readonly Reason[] = ['WriteFailed', 'StatusRefused']

/** @returns the newest failed write, unless the status has been written since then; undefined if the user may not read Events */
export async function readFailedWrite(reading: Reading, config: ConfigView): Promise<FailedWrite | undefined> {
	const { cluster, signal, progress } = reading
	const { client, namespace, server } = cluster
	const lists = REASONS.map(reason =>
		client.list(Event, { namespace, fieldSelector: `involvedObject.uid=${config.uid},reason=${reason}`, signal }),
	)
	const settings = client.find(ConfigMap, { namespace, name: ROLLOUT_CONFIG_MAP }, { signal })
	const asked = unlessForbidden(Promise.all([settings, ...lists] as const))
	const answer = await progress(`reading Events of ${config.name} from ${server}`, asked)
	if (!answer) return undefined
	const [found, ...pages] = answer.found
	const ours = pages.flatMap(({ items }) => items).filter(({ metadata }) => isOurEventName(metadata.name, found?.metadata.uid ?? ''))
	return ours
		.map(({ reason = '', message = '', ...event }) => ({ reason: clean(reason), message: clean(message), at: timeOf(event) }))
		.filter(({ at }) => at > writtenAt(config))
		.toSorted((a, b) => a.at - b.at)
		.at(-1)
}

function timeOf({ lastTimestamp, firstTimestamp }: Pick<Event, 'lastTimestamp' | 'firstTimestamp'>): number {
	return Date.parse(lastTimestamp ?? firstTimestamp ?? '') || 0
}

/** Returns when the status last changed (milliseconds since 1970). */
function writtenAt({ status }: ConfigView): number {
	const times = [status.lastProcessed, ...(status.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime)]
	return Math.max(0, ...times.map(time => Date.parse(time ?? '') || 0))
}
