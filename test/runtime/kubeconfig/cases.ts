import type { Seen } from './recorder.ts'

/** How a program is called in a directory of kubeconfigs. Paths are relative to the directory. */
export type Call = { KUBECONFIG?: string; kubeconfig?: string; context?: string; env?: Record<string, string> }

/** Returns the environment of a call in a directory, with PROXY replaced by the proxy's `host:port`. */
export function environmentOf({ KUBECONFIG, env = {} }: Call, folder: string, proxy: string): Record<string, string> {
	const inFolder = (path: string) => (path === '' ? '' : `${folder}/${path}`)
	const more = Object.entries(env).map(([name, value]) => [name, name === 'PATH' ? inFolder(value) : value.replace('PROXY', proxy)])
	return {
		HOME: folder,
		...(KUBECONFIG !== undefined && { KUBECONFIG: KUBECONFIG.split(':').map(inFolder).join(':') }),
		...(Object.fromEntries(more) as Record<string, string>),
	}
}

export type Case = [title: string, call: Call, sees: Seen | 'refused']

const main: Seen = { path: '/main/version', authorization: 'Bearer secret' }
const as = (token: string): Seen => ({ ...main, authorization: `Bearer ${token}` })
const second: Seen = { path: '/second/version', authorization: 'Bearer second', acting: { 'impersonate-user': 'boss' } }
const byCertificate: Seen = { path: '/main/version', certificate: 'client' }
const one = (file: string): Call => ({ KUBECONFIG: file })

/** What kubectl 1.34 and KubeClient do with each kubeconfig. The file names refer to the fixtures. */
export const cases: readonly Case[] = [
	['a token', one('plain'), main],
	['a missing file in a list', one('plain:gone'), main],
	['a list that begins with a missing file', one('gone:plain'), main],
	['empty entries of a list', one(':plain::'), main],
	['the same file twice in a list', one('plain:plain'), main],
	['a list of missing files', one('gone:gone-too'), 'refused'],
	['an empty KUBECONFIG: ~/.kube/config is used', { KUBECONFIG: '' }, second],
	['no KUBECONFIG: ~/.kube/config is used', {}, second],
	['--kubeconfig takes precedence over KUBECONFIG', { kubeconfig: 'plain', KUBECONFIG: 'second-of-two' }, main],
	['an empty --kubeconfig', { kubeconfig: '', KUBECONFIG: 'plain' }, main],
	['--kubeconfig with a missing file', { kubeconfig: 'gone', KUBECONFIG: 'plain' }, 'refused'],
	['--kubeconfig is a single file, not a list', { kubeconfig: 'plain:gone' }, 'refused'],
	['a directory instead of a file', one('sub'), 'refused'],
	['a directory in a list', one('plain:sub'), 'refused'],
	['a file that cannot be read', one('plain:loop'), 'refused'],
	['a path below a file', one('plain:plain/config'), 'refused'],

	[
		'two files: the first entry of each name is used, and the current context of the second file',
		one('first-of-two:second-of-two'),
		{ path: '/second/version', authorization: 'Bearer first' },
	],
	['the same two files in reverse order', one('second-of-two:first-of-two'), second],
	[
		'a context from another file of the list',
		{ KUBECONFIG: 'plain:sub/paths', context: 'sub' },
		{ path: '/sub/version', authorization: 'Bearer v1' },
	],
	['paths are relative to the file that contains them', one('sub/paths'), { path: '/sub/version', authorization: 'Bearer v1' }],
	['--context', { KUBECONFIG: 'unused-context-half', context: 'main' }, main],
	['an unknown --context', { KUBECONFIG: 'plain', context: 'gone' }, 'refused'],
	['an empty --context', { KUBECONFIG: 'plain', context: '' }, main],
	['--context without a current context', { KUBECONFIG: 'no-current', context: 'main' }, main],
	['a current context that is missing', one('context-missing'), 'refused'],
	['no current context', one('no-current'), 'refused'],
	['a context without cluster', { KUBECONFIG: 'unused-context-half', context: 'homeless' }, 'refused'],
	['a context without user', { KUBECONFIG: 'unused-context-half', context: 'anonymous' }, 'refused'],
	['a context with a missing cluster', { KUBECONFIG: 'unused-dangling', context: 'no-cluster' }, 'refused'],
	['a context with a missing user', { KUBECONFIG: 'unused-dangling', context: 'no-user' }, 'refused'],

	...(
		[
			'unused-cluster-empty',
			'unused-cluster-no-scheme',
			'unused-cluster-nothing',
			'unused-context-half',
			'unused-dangling',
			'unused-user-two-methods',
			'unused-user-broken-plugin',
			'unused-files-missing',
			'unknown-keys',
			'empty-texts',
			'nulls',
			'key-twice',
			'token-twice',
			'anchors',
			'as-json',
			'two-documents',
			'broken-second-document',
			'no-kind',
			'utf-8-bom',
			'utf-16',
			'crlf',
			'slash-at-the-end',
		] as const
	).map((file): Case => [file, one(file), main]),
	...(
		[
			'unused-user-not-base64',
			'unused-cluster-wrong-type',
			'name-twice',
			'token-number',
			'other-kind',
			'other-version',
			'nothing',
			'comment',
			'words',
			'list',
			'broken',
			'map-of-clusters',
			'other-scheme',
			'nobody',
		] as const
	).map((file): Case => [file, one(file), 'refused']),

	['a server without TLS gets no credentials', one('plain-http'), { path: '/main/version', plain: true }],
	['a server without scheme is used without TLS', one('no-scheme'), { path: '/version', plain: true }],

	['certificates in the file', one('data-inside'), byCertificate],
	['certificates as base64 with line breaks', one('data-in-lines'), byCertificate],
	['certificates in separate files', one('certificate-files'), byCertificate],
	['a certificate and a token', one('certificate-and-token'), { ...main, certificate: 'client' }],
	['a certificate both in the kubeconfig and in a separate file', one('certificate-twice'), 'refused'],
	['a certificate without key', one('certificate-no-key'), 'refused'],
	['a certificate with the key of another certificate', one('certificate-other-key'), 'refused'],
	['a certificate that is missing', one('certificate-missing'), 'refused'],
	['a certificate authority both in the kubeconfig and in a separate file', one('authority-twice'), 'refused'],
	['a certificate authority in a missing file', one('authority-missing'), 'refused'],
	['a certificate authority in ~, which is not expanded', one('authority-home'), 'refused'],
	['a certificate authority that is not in PEM format', one('authority-no-pem'), 'refused'],
	['a certificate authority that did not sign the server certificate', one('authority-other'), 'refused'],
	['no certificate authority: those of the system are used', one('authority-none'), 'refused'],
	['insecure-skip-tls-verify', one('insecure'), main],
	['insecure-skip-tls-verify: yes', one('insecure-yes'), main],
	['insecure-skip-tls-verify with the string "true"', one('insecure-text'), 'refused'],
	['insecure-skip-tls-verify with a certificate authority', one('insecure-with-authority'), 'refused'],
	['tls-server-name', one('server-name'), main],
	['a tls-server-name that is not in the server certificate', one('server-name-wrong'), 'refused'],

	['a token file', one('token-file'), as('from-file')],
	['a token file takes precedence over a token', one('token-and-file'), as('from-file')],
	['a token with a missing token file', one('token-and-missing-file'), main],
	['a token file that is missing', one('token-file-missing'), 'refused'],
	['a token file that is empty', one('token-file-empty'), 'refused'],
	['a user name and a password', one('password'), { path: '/main/version', authorization: `Basic ${btoa('a:b')}` }],
	['a token and a password', one('token-and-password'), 'refused'],

	[
		'impersonation of a user',
		one('acting'),
		{
			...main,
			acting: {
				'impersonate-user': 'boss',
				'impersonate-uid': 'u-1',
				'impersonate-group': 'one, two',
				'impersonate-extra-example.test%2fscope': 'read, write',
			},
		},
	],
	['impersonation of groups without a user', one('acting-as-nobody'), 'refused'],

	['an exec plugin with a relative path', one('exec-relative'), as('v1')],
	['an exec plugin on PATH', { ...one('exec-on-path'), env: { PATH: 'bin' } }, as('v1')],
	['an exec plugin that is not on PATH', one('exec-on-path'), 'refused'],
	['an exec plugin of v1beta1', one('exec-v1beta1'), as('v1beta1')],
	['an exec plugin of v1alpha1', one('exec-v1alpha1'), 'refused'],
	['an exec plugin without apiVersion', one('exec-no-version'), 'refused'],
	['an exec plugin of v1 without interactiveMode', one('exec-no-mode'), 'refused'],
	['an exec plugin that requires a terminal', one('exec-always'), 'refused'],
	['an exec plugin for which a terminal is optional', one('exec-if-available'), as('v1')],
	['an exec plugin that does not exist', one('exec-missing'), 'refused'],
	['an exec plugin that fails', one('exec-fails'), 'refused'],
	['an exec plugin that prints nothing', one('exec-silent'), 'refused'],
	['an exec plugin that prints another apiVersion', one('exec-other-version'), 'refused'],
	['an exec plugin that prints a certificate', one('exec-certificate'), byCertificate],
	['an exec plugin with environment variables', one('exec-env'), as('v1-from-kubeconfig')],
	['an exec plugin with provideClusterInfo', one('exec-cluster-info'), as('v1-main-these')],
	['an exec plugin and a token', one('exec-and-token'), main],
	['an exec plugin and an auth provider', one('exec-and-provider'), 'refused'],
	['an auth provider that kubectl no longer supports', one('provider-gcp'), 'refused'],

	['proxy-url', one('proxy'), { ...main, proxied: true }],
	['proxy-url of a SOCKS proxy', one('far-by-socks'), { ...main, proxied: true }],
	['proxy-url without scheme', one('proxy-no-scheme'), 'refused'],
	['proxy-url with an unsupported scheme', one('proxy-ftp'), 'refused'],
	['HTTPS_PROXY', { ...one('far'), env: { HTTPS_PROXY: 'http://PROXY' } }, { ...main, proxied: true }],
	['https_proxy', { ...one('far'), env: { https_proxy: 'http://PROXY' } }, { ...main, proxied: true }],
	[
		'HTTPS_PROXY takes precedence over https_proxy',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', https_proxy: 'http://127.0.0.1:1' } },
		{ ...main, proxied: true },
	],
	['HTTPS_PROXY without scheme', { ...one('far'), env: { HTTPS_PROXY: 'PROXY' } }, { ...main, proxied: true }],
	[
		'HTTPS_PROXY, and NO_PROXY for another host',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', NO_PROXY: 'other.test,10.0.0.0/8' } },
		{ ...main, proxied: true },
	],
	[
		'HTTPS_PROXY, and NO_PROXY for this host',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', NO_PROXY: 'other.test, .cluster.test' } },
		'refused',
	],
	['HTTP_PROXY is not used for TLS', { ...one('far'), env: { HTTP_PROXY: 'http://PROXY' } }, 'refused'],
	['ALL_PROXY is ignored', { ...one('far'), env: { ALL_PROXY: 'http://PROXY' } }, 'refused'],
	['HTTPS_PROXY is not used for loopback addresses', { ...one('plain'), env: { HTTPS_PROXY: 'http://127.0.0.1:1' } }, main],
	[
		'proxy-url takes precedence over HTTPS_PROXY and NO_PROXY',
		{ ...one('far-by-proxy-url'), env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' } },
		{ ...main, proxied: true },
	],
]
