import { expect, test } from 'vitest'
import { createFeed } from '../../../viola/read/feed.ts'
import { eventIn } from './stream-reader.ts'
import { entryOf, type Replica, replicaOf } from './replica.ts'

function feedOf({ held }: Replica, lastEventId?: string, isWanted = (_: string) => true) {
	let calls = 0
	const feed = createFeed({ held, lastEventId, isWanted, onChange: () => void calls++ })
	/** Reads events: `+name@version`, `-name`, `synced`, `reset`, followed by `#id`. */
	const read = (events = Number.POSITIVE_INFINITY): string[] => {
		const seen: string[] = []
		for (let text = feed.next(); text !== undefined; text = seen.length < events ? feed.next() : undefined) seen.push(brief(text))
		return seen
	}
	return { feed, read, calls: () => calls }
}

function brief(text: string): string {
	const { id, event, data } = eventIn(text)
	const { nodeName, resourceVersion } = JSON.parse(data) as { nodeName?: string; resourceVersion?: string }
	const suffix = id === undefined ? '' : ` #${id}`
	if (event === 'node-config') return `+${nodeName}@${resourceVersion}${suffix}`
	return (event === 'deleted' ? `-${nodeName}` : event) + suffix
}

test('a new reader receives every node config, then synced, then each change and deletion with its version as id', () => {
	const replica = replicaOf(['b', 'a'], 10)
	const { read, calls } = feedOf(replica)
	expect(read()).toEqual(['+a@2', '+b@1', 'synced #10'])
	replica.set('c', 11)
	expect(read()).toEqual(['+c@11 #11'])
	replica.remove('a', 14)
	replica.set('b', 15)
	expect([read(), calls()]).toEqual([['-a #14', '+b@15 #15'], 3])
})

test.each<[title: string, lastEventId: string, events: string[]]>([
	['with the current version only synced', '12', ['synced #12']],
	['with a known version the later changes', '10', ['-a #11', '+c@12 #12', 'synced #12']],
	['with an older version everything', '9', ['reset', '+b@2', '+c@12', 'synced #12']],
	['with a version of the future everything', '13', ['reset', '+b@2', '+c@12', 'synced #12']],
	['with an id of another API everything', 'abc', ['reset', '+b@2', '+c@12', 'synced #12']],
])('a reader that continues receives %s', (_, lastEventId, events) => {
	const replica = replicaOf(['a', 'b'], 10)
	replica.remove('a', 11)
	replica.set('c', 12)
	expect(feedOf(replica, lastEventId).read()).toEqual(events)
})

test('a change of a node config that is not sent yet is sent once, and one that was sent is sent again after synced', () => {
	const replica = replicaOf(['a', 'b', 'c'], 10)
	const { read } = feedOf(replica)
	expect(read(1)).toEqual(['+a@1'])
	replica.set('a', 11)
	replica.set('b', 12)
	replica.remove('c', 13)
	expect(read()).toEqual(['+b@12', '-c', 'synced #10', '+a@11 #11'])
})

test('several changes of a waiting node config are sent once, with the last version', () => {
	const replica = replicaOf(['a'], 10)
	const { read } = feedOf(replica)
	read()
	replica.set('a', 11)
	replica.set('b', 12)
	replica.remove('a', 13)
	expect(read()).toEqual(['+b@12 #12', '-a #13'])
})

test('changes that a list found together have one id, after the last of them', () => {
	const replica = replicaOf(['a', 'b'], 10)
	const { read } = feedOf(replica)
	read()
	replica.held.observe(undefined, replica.held.content.find('a'))
	replica.held.observe(entryOf('b', 15), replica.held.content.find('b'))
	replica.held.reach('20', true)
	expect(read()).toEqual(['-a', '+b@15 #20'])
})

test('a filter applies to the content and to changes', () => {
	const replica = replicaOf(['a', 'b'], 10)
	const { read } = feedOf(replica, undefined, name => name === 'b')
	expect(read()).toEqual(['+b@2', 'synced #10'])
	replica.set('a', 11)
	replica.remove('b', 12)
	expect(read()).toEqual(['-b #12'])
})

test('the lag is the length of what waits behind the current events; the first content, and what changes while it is sent, are not', () => {
	const replica = replicaOf(['a', 'b', 'c'], 10, { filler: 1_000 })
	const { feed, read } = feedOf(replica)
	read(1)
	replica.set('a', 11, 5_000)
	expect(feed.lag()).toBe(0)
	read(3) // b, c, synced
	expect(feed.lag()).toBe(0)
	replica.set('b', 12, 1_000)
	replica.set('b', 13, 1_000)
	expect(feed.lag()).toBeGreaterThan(1_000)
	expect(feed.lag()).toBeLessThan(1_200)
	expect(read(1)).toEqual(['+a@11 #11'])
	read()
	expect(feed.lag()).toBe(0)
})

test('a feed that has ended holds nothing of later changes', () => {
	const replica = replicaOf(['a'], 10)
	const { feed, read, calls } = feedOf(replica)
	read()
	feed.end()
	replica.set('a', 11)
	expect([read(), calls(), feed.lag()]).toEqual([[], 0, 0])
})
