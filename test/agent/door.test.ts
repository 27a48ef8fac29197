import { expect, test } from 'vitest'
import { parseConfig } from '../../agent/config.ts'
import { oneLine } from '../../agent/report/one-line.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'

const mac = 'fa:16:3e:37:c3:f1'
const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24' }
const good = runConfig([nic])

test.each<[title: string, wish: unknown, says: RegExp]>([
	['an array instead of an object', [], /it: Invalid input: expected object/],
	['an unknown field', { ...good, extra: 1 }, /it: Unrecognized key: "extra"/],
	['an unknown field in an interface', runConfig([{ ...nic, mtuu: 1400 } as never]), /interfaces\[0\]: Unrecognized key: "mtuu"/],
	[
		'an unknown field in a route',
		runConfig([{ ...nic, routes: [{ to: '10.9.0.0/16', gw: '10.0.0.1' } as never] }]),
		/interfaces\[0\]\.routes\[0\]: Unrecognized key: "gw"/,
	],
	['no interfaces', { ...good, interfaces: undefined }, /interfaces: /],
	['interfaces that are null', { ...good, interfaces: null }, /interfaces: .*expected array/],
	['eleven interfaces', runConfig(Array.from({ length: 11 }, () => nic)), /interfaces: /],
	['a node name with a line break', { ...good, nodeName: 'a\nb' }, /nodeName: must be a Kubernetes node name/],
	[
		'a report namespace that is a parent directory',
		{ ...good, report: { namespace: '..', configMap: 'a' } },
		/report\.namespace: must be the name/,
	],
	[
		'a node address with a prefix length',
		{ ...good, nodeAddresses: ['10.0.0.1/24'] },
		/nodeAddresses\[0\]: must be an IPv4 or IPv6 address/,
	],
	['a string instead of a number', { ...good, generation: '3' }, /generation: .*expected number/],
	['an attempt that is not an integer', { ...good, attempt: 1.5 }, /attempt: /],
	['a commit timeout above the maximum', { ...good, commitTimeoutSeconds: 1e9 }, /commitTimeoutSeconds: /],
	['a newer version', { ...good, version: 2 }, /version: /],
	['thirty errors', { ...good, nodeAddresses: Array(30).fill('x') }, /nodeAddresses\[7\]: [^;]*; and 22 more$/],
])('rejects a config with %s, and the error names the field', (_, wish, says) => {
	expect(() => parseConfig(JSON.stringify(wish), 'config.json')).toThrow(says)
})

test('rejects an extremely nested config, and the error names the field', () => {
	const deep = '['.repeat(400_000) + ']'.repeat(400_000)
	const wish = JSON.stringify(good).replace('"interfaces":[', `"interfaces":[${deep},`)
	expect(() => parseConfig(wish, 'c')).toThrow(/interfaces\[0\]: .*expected object, received array/)
})

test('shortens a message that quotes long input', () => {
	const text = JSON.stringify({ ...good, ['x'.repeat(100_000)]: 1 })
	expect(() => parseConfig(text, 'c')).toThrow(/^.{1,300}$/)
})

test.each<[title: string, text: string, line: string]>([
	['line breaks', 'a\n  b\r\nc\u2028d', 'a b c d'],
	['terminal control sequences', 'a\u001b[31mb\u0007\u0000', 'a?[31mb?'],
	['changes of the text direction', 'a\u202eb', 'a?b'],
	['columns of spaces', 'is ens7, down     rename', 'is ens7, down     rename'],
	['text in any language', 'Grüße, 你好', 'Grüße, 你好'],
])('prints %s on one line', (_, text, line) => {
	expect(oneLine(text)).toBe(line)
})
