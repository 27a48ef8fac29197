import { describe, expect, test } from 'vitest'
import { deviceWord, deviceWordAmong, shownDevice, withShortDevices } from '../../../agent/ip/device-word.ts'

describe('the word that identifies a link in commands of `ip`', () => {
	test.each([1, 3, 42, 999_999_999])('for ifindex %i is too long for a name (15 characters) and for an alternative name (127)', ifindex => {
		expect(deviceWord(ifindex)).toMatch(/^if0+\d+$/)
		expect(deviceWord(ifindex).length).toBeGreaterThan(127)
		expect(Number(deviceWord(ifindex).slice(2))).toBe(ifindex)
	})

	test('has 15 characters for an `ip` without alternative names, and fewer if a link has that name', () => {
		expect(deviceWordAmong(new Set())(3)).toBe('if0000000000003')
		expect(deviceWordAmong(new Set(['if0000000000003']))(3)).toBe('if000000000003')
	})
})

describe('output shows', () => {
	test.each([
		['the shortest word', [], 'if3'],
		['a longer word if a link has that name', ['if3'], 'if03'],
		['an even longer word if links have both names', ['if3', 'if03'], 'if003'],
	])('%s', (_, names, word) => {
		expect(shownDevice(names.map(name => ({ name: 'ens7', altnames: [name] })))(3)).toBe(word)
		expect(shownDevice(names.map(name => ({ name, altnames: [] })))(3)).toBe(word)
	})

	test('the shortest word in messages of `ip`', () => {
		expect(withShortDevices(`Cannot find device "${deviceWord(30)}"`)).toBe('Cannot find device "if30"')
	})
})
