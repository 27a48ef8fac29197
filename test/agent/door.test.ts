import { expect, test } from 'vitest'
import { parseConfig } from '../../agent/config.ts'
import { oneLine } from '../../agent/report/one-line.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'

const mac = 'fa:16:3e:37:c3:f1'
const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24' }
const good = runConfig([nic])

test.each<[title: string, wish: unknown, says: RegExp]>([
	['no object', [], /it: Invalid input: expected object/],
	['a field nobody knows', { ...good, extra: 1 }, /it: Unrecognized key: "extra"/],
	['a field nobody knows in an interface', runConfig([{ ...nic, mtuu: 1400 } as never]), /interfaces\[0\]: Unrecognized key: "mtuu"/],
	[
		'a field nobody knows in a route',
		runConfig([{ ...nic, routes: [{ to: '10.9.0.0/16', gw: '10.0.0.1' } as never] }]),
		/interfaces\[0\]\.routes\[0\]: Unrecognized key: "gw"/,
	],
	['no interfaces', { ...good, interfaces: undefined }, /interfaces: /],
	['interfaces that are null', { ...good, interfaces: null }, /interfaces: .*expected array/],
	['eleven interfaces', runConfig(Array.from({ length: 11 }, () => nic)), /interfaces: /],
	['a node name that ends a line', { ...good, nodeName: 'a\nb' }, /nodeName: must be a Kubernetes node name/],
	['a report that goes up a folder', { ...good, report: { namespace: '..', configMap: 'a' } }, /report\.namespace: must be the name/],
	['a node address that is none', { ...good, nodeAddresses: ['10.0.0.1/24'] }, /nodeAddresses\[0\]: must be an IPv4 or IPv6 address/],
	['a number that is text', { ...good, generation: '3' }, /generation: .*expected number/],
	['a number that is no whole one', { ...good, attempt: 1.5 }, /attempt: /],
	['time that is endless', { ...good, commitTimeoutSeconds: 1e9 }, /commitTimeoutSeconds: /],
	['a version of tomorrow', { ...good, version: 2 }, /version: /],
	['thirty faults', { ...good, nodeAddresses: Array(30).fill('x') }, /nodeAddresses\[7\]: [^;]*; and 22 more$/],
])('refuses a config with %s and names the field', (_, wish, says) => {
	expect(() => parseConfig(JSON.stringify(wish), 'config.json')).toThrow(says)
})

test('refuses an extremely nested config like any other', () => {
	const deep = '['.repeat(400_000) + ']'.repeat(400_000)
	const wish = JSON.stringify(good).replace('"interfaces":[', `"interfaces":[${deep},`)
	expect(() => parseConfig(wish, 'c')).toThrow(/interfaces\[0\]: .*expected object, received array/)
})

test('keeps a message that quotes long input short', () => {
	const text = JSON.stringify({ ...good, ['x'.repeat(100_000)]: 1 })
	expect(() => parseConfig(text, 'c')).toThrow(/^.{1,300}$/)
})

test.each<[title: string, text: string, line: string]>([
	['ends of lines', 'a\n  b\r\nc\u2028d', 'a b c d'],
	['orders to a terminal', 'a\u001b[31mb\u0007\u0000', 'a?[31mb?'],
	['changes of direction', 'a\u202eb', 'a?b'],
	['columns', 'is ens7, down     rename', 'is ens7, down     rename'],
	['words of any language', 'Grüße, 你好', 'Grüße, 你好'],
])('prints %s on one line', (_, text, line) => {
	expect(oneLine(text)).toBe(line)
})
