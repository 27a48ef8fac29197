import { describe, expect, test } from 'vitest'
import { proxyFor } from '../../../runtime/kube/proxy.ts'

const proxy = 'http://proxy.example:3128'
const server = 'https://api.cluster.example:6443'

describe('the proxy for a server', () => {
	test.each<[title: string, server: string, env: Record<string, string>, proxy: string | undefined]>([
		['is none without variables', server, {}, undefined],
		['comes from HTTPS_PROXY', server, { HTTPS_PROXY: proxy }, proxy],
		['comes from https_proxy', server, { https_proxy: proxy }, proxy],
		['comes from https_proxy if HTTPS_PROXY is empty', server, { HTTPS_PROXY: '', https_proxy: proxy }, proxy],
		['comes from HTTPS_PROXY rather than https_proxy', server, { HTTPS_PROXY: proxy, https_proxy: 'http://other:1' }, proxy],
		['does not come from HTTP_PROXY for https', server, { HTTP_PROXY: proxy }, undefined],
		['comes from HTTP_PROXY for http', 'http://api.cluster.example', { HTTP_PROXY: proxy }, proxy],
		['may have no scheme', server, { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
		['may have a password', server, { HTTPS_PROXY: 'http://a:b@proxy.example:3128' }, 'http://a:b@proxy.example:3128'],
		['may be a SOCKS proxy', server, { HTTPS_PROXY: 'socks5://proxy.example:1080' }, 'socks5://proxy.example:1080'],
		['may be a SOCKS proxy that resolves names', server, { HTTPS_PROXY: 'socks5h://proxy.example:1080' }, 'socks5://proxy.example:1080'],
		['is none if the value is not a URL', server, { HTTPS_PROXY: 'http://a b' }, undefined],
		['is none for localhost', 'https://localhost:6443', { HTTPS_PROXY: proxy }, undefined],
		['is none for 127.0.0.0/8', 'https://127.8.8.8:6443', { HTTPS_PROXY: proxy }, undefined],
		['is none for ::1', 'https://[::1]:6443', { HTTPS_PROXY: proxy }, undefined],
	])('%s', (_, to, env, wanted) => {
		expect(proxyFor(to, env)).toBe(wanted)
	})
})

describe('NO_PROXY', () => {
	test.each<[rule: string, host: string, isExempt: boolean]>([
		['*', 'api.cluster.example', true],
		['other.example,*', 'api.cluster.example', true],
		['api.cluster.example', 'api.cluster.example', true],
		['API.cluster.example', 'api.cluster.example', true],
		['cluster.example', 'api.cluster.example', true],
		['.cluster.example', 'api.cluster.example', true],
		['*.cluster.example', 'api.cluster.example', true],
		[' cluster.example , x', 'api.cluster.example', true],
		['.api.cluster.example', 'api.cluster.example', false],
		['luster.example', 'api.cluster.example', false],
		['*cluster.example', 'api.cluster.example', false],
		['cluster', 'api.cluster.example', false],
		['cluster.example:6443', 'api.cluster.example', true],
		['cluster.example:443', 'api.cluster.example', false],
		[':6443', 'api.cluster.example', false],
		['10.0.0.0/8', '10.1.2.3', true],
		['10.1.2.3', '10.1.2.3', true],
		['10.1.2.3:6443', '10.1.2.3', true],
		['10.1.2.3:443', '10.1.2.3', false],
		['10.1.2', '10.1.2.3', false],
		['11.0.0.0/8', '10.1.2.3', false],
		['10.0.0.0/33', '10.1.2.3', false],
		['10.0.0.0/8', 'api.cluster.example', false],
		['fd00::/8', '[fd00::1]', true],
		['fd00::1', '[fd00:0::1]', true],
		['[fd00::1]:6443', '[fd00::1]', true],
		['[fd00::1]:443', '[fd00::1]', false],
		['fe80::/10', '[fd00::1]', false],
	])('%s exempts %s: %s', (rule, host, isExempt) => {
		expect(proxyFor(`https://${host}:6443`, { HTTPS_PROXY: proxy, NO_PROXY: rule })).toBe(isExempt ? undefined : proxy)
		expect(proxyFor(`https://${host}:6443`, { HTTPS_PROXY: proxy, no_proxy: rule })).toBe(isExempt ? undefined : proxy)
	})
})
