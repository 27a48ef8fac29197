import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../mgmt/config.ts'
import { AllowedHosts, isAllowedHost } from '../../../mgmt/disclosure/hosts.ts'

const isAllowed = (list: string, url: string) => isAllowedHost(new URL(url), AllowedHosts.parse(list))

describe('SECRET_ENDPOINT_HOSTS', () => {
	test.each<[sentence: string, list: string, url: string, isAllowed: boolean]>([
		['a host matches every port', 'viola.example.com', 'http://viola.example.com:8080/v1', true],
		['a host with a port matches that port', 'viola.example.com:8080', 'http://viola.example.com:8080', true],
		['a host with a port matches no other port', 'viola.example.com:8080', 'http://viola.example.com:8081', false],
		['port 443 is the port of https', 'viola.example.com:443', 'https://viola.example.com', true],
		['port 80 is the port of http', 'viola.example.com:80', 'http://viola.example.com', true],
		['port 443 is not the port of http', 'viola.example.com:443', 'http://viola.example.com', false],
		['letter case is ignored', 'Viola.Example.COM', 'https://vIOLA.example.com', true],
		['a trailing dot in the URL is ignored', 'viola.example.com', 'https://viola.example.com.', true],
		['a trailing dot in the entry is ignored', 'viola.example.com.', 'https://viola.example.com', true],
		['two trailing dots are another host', 'viola.example.com', 'https://viola.example.com..', false],
		['a subdomain is another host', 'example.com', 'https://viola.example.com', false],
		['a parent domain is another host', 'viola.example.com', 'https://example.com', false],
		['a host that ends like an entry is another host', 'example.com', 'https://badexample.com', false],
		['a host that begins like an entry is another host', 'example.com', 'https://example.com.evil.org', false],
		['the user of a URL is not its host', 'viola.example.com', 'https://viola.example.com@evil.org', false],
		['an IPv4 address matches', '10.0.0.5', 'http://10.0.0.5:8080', true],
		['an IPv4 address matches in any notation', '10.0.0.5', 'http://0x0a.0.0.5', true],
		['another IPv4 address does not match', '10.0.0.5', 'http://10.0.0.50', false],
		['an IPv6 address matches in any notation', '[fd00:0:0::1]', 'http://[FD00::0001]:8080', true],
		['an IPv6 address with a port matches that port', '[fd00::1]:8080', 'http://[fd00::1]:8080', true],
		['an IPv6 address with a port matches no other port', '[fd00::1]:8080', 'http://[fd00::1]', false],
		['an international name matches in both forms', 'bücher.example', 'https://xn--bcher-kva.example', true],
		['one matching entry is enough', 'a.example, b.example:8080 ,c.example', 'http://b.example:8080', true],
		['a comma at the end adds nothing', 'a.example,', 'http://b.example', false],
		['an empty list allows nothing', '', 'http://a.example', false],
	])('%s', (_, list, url, expected) => {
		expect(isAllowed(list, url)).toBe(expected)
	})

	test.each([
		'https://viola.example.com',
		'viola.example.com/v1',
		'*.example.com',
		'*',
		'viola:0',
		'viola:65536',
		'viola:http',
		'viola:',
		':8080',
		'fd00::1',
		'[fd00::1',
		'[fd00::g]',
		'two words',
		'a#b',
		'a%2eb',
		'.',
		'256.0.0.1',
	])('rejects %s at startup', entry => {
		const read = () => readConfig({ SECRET_ENDPOINT_HOSTS: `fine.example,${entry}` })
		expect(read).toThrow(`SECRET_ENDPOINT_HOSTS: "${entry}" must be a host or host:port`)
	})

	test('does not repeat the password of a URL', () => {
		const read = () => readConfig({ SECRET_ENDPOINT_HOSTS: 'https://me:the-password@viola' })
		expect(read).toThrow('SECRET_ENDPOINT_HOSTS: "…@viola" must be')
		expect(read).not.toThrow('the-password')
	})

	test('reports every invalid entry', () => {
		expect(() => readConfig({ SECRET_ENDPOINT_HOSTS: '*,a b' })).toThrow(/"\*" must[\s\S]*SECRET_ENDPOINT_HOSTS: "a b" must/)
	})

	test('a URL is allowed if and only if its host is in the list', () => {
		const hosts = fc.constantFrom('a.example', 'b.example', '10.0.0.5', '[fd00::1]')
		const ports = fc.constantFrom('', ':80', ':443', ':8080')
		fc.assert(
			fc.property(hosts, ports, hosts, ports, (host, port, other, otherPort) => {
				const sameHost = host === other
				expect(isAllowed(`${host}${port}`, `http://${other}${otherPort}/x`)).toBe(
					sameHost && (port === '' || port === (otherPort || ':80')),
				)
			}),
		)
	})
})
