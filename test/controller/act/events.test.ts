import { expect, test } from 'vitest'
import { eventOf } from '../../../controller/act/events.ts'
import { isOurEventName } from '../../../runtime/event-name.ts'
import { world } from '../world.ts'

/**
 * The name of an Event ends in a suffix that no node can guess. Otherwise a node could create an Event with that name first, and so block
 * the controller's Event.
 */
const note = { type: 'Normal', reason: 'RunStarted', message: 'a', eventKey: 'multinic-agent-worker-1-g1.started' } as const
const nameOf = (secret: string) => eventOf(world().config, note, { now: 0, secret }).metadata.name

test('the name depends on the event key and on a secret of the controller', () => {
	expect(nameOf('one')).toBe(nameOf('one'))
	expect(nameOf('one')).not.toBe(nameOf('two'))
	expect(nameOf('one').startsWith(`${note.eventKey}.`)).toBe(true)
})

test('the secret distinguishes the controller’s Events from other Events', () => {
	expect(isOurEventName(nameOf('one'), 'one')).toBe(true)
	expect(isOurEventName(nameOf('two'), 'one')).toBe(false)
	expect(isOurEventName(nameOf(''), '')).toBe(false)
})
