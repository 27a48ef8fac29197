import { expect, test } from 'vitest'
import { eventOf } from '../../controller/events.ts'
import { isOurEventName } from '../../runtime/event-name.ts'
import { world } from './world.ts'

/** The name of an Event ends in what no node can guess: one that a node made before would keep ours from being written. */
const note = { type: 'Normal', reason: 'RunStarted', message: 'a', moment: 'multinic-agent-worker-1-g1.started' } as const
const nameOf = (secret: string) => eventOf(world().config, note, { now: 0, secret }).metadata.name

test('the name follows from the moment and the secret, and from nothing that a node knows', () => {
	expect(nameOf('one')).toBe(nameOf('one'))
	expect(nameOf('one')).not.toBe(nameOf('two'))
	expect(nameOf('one').startsWith(`${note.moment}.`)).toBe(true)
})

test('who knows the secret tells our Events from others', () => {
	expect(isOurEventName(nameOf('one'), 'one')).toBe(true)
	expect(isOurEventName(nameOf('two'), 'one')).toBe(false)
	expect(isOurEventName(nameOf(''), '')).toBe(false)
})
