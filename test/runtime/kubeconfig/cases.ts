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

/** What kubectl 1.34 and our client do with each kubeconfig. The file names refer to the fixtures. */
export const cases: readonly Case[] = [
	['a token', one('plain'), main],
	['a missing file in a list', one('plain:gone'), main],
	['a list that begins with a missing file', one('gone:plain'), main],
	['empty entries of a list', one(':plain::'), main],
	['the same file twice in a list', one('plain:plain'), main],
	['a list of missing files', one('gone:gone-too'), 'refused'],
	['an empty KUBECONFIG: the one at home counts', { KUBECONFIG: '' }, second],
	['no KUBECONFIG: the one at home counts', {}, second],
	['--kubeconfig before KUBECONFIG', { kubeconfig: 'plain', KUBECONFIG: 'second-of-two' }, main],
	['an empty --kubeconfig', { kubeconfig: '', KUBECONFIG: 'plain' }, main],
	['--kubeconfig of a missing file', { kubeconfig: 'gone', KUBECONFIG: 'plain' }, 'refused'],
	['--kubeconfig is one file and no list', { kubeconfig: 'plain:gone' }, 'refused'],
	['a folder as a file', one('sub'), 'refused'],
	['a folder in a list', one('plain:sub'), 'refused'],
	['a file that cannot be read', one('plain:loop'), 'refused'],
	['a file below a file', one('plain:plain/config'), 'refused'],

	[
		'two files: of each name the first counts, and the current context of the later one',
		one('first-of-two:second-of-two'),
		{ path: '/second/version', authorization: 'Bearer first' },
	],
	['two files the other way round', one('second-of-two:first-of-two'), second],
	['a context of another file', { KUBECONFIG: 'plain:sub/paths', context: 'sub' }, { path: '/sub/version', authorization: 'Bearer v1' }],
	['paths are relative to the file that they are in', one('sub/paths'), { path: '/sub/version', authorization: 'Bearer v1' }],
	['--context', { KUBECONFIG: 'unused-context-half', context: 'main' }, main],
	['an unknown --context', { KUBECONFIG: 'plain', context: 'gone' }, 'refused'],
	['an empty --context', { KUBECONFIG: 'plain', context: '' }, main],
	['--context where none is current', { KUBECONFIG: 'no-current', context: 'main' }, main],
	['a current context that is missing', one('context-missing'), 'refused'],
	['no current context', one('no-current'), 'refused'],
	['a context without cluster', { KUBECONFIG: 'unused-context-half', context: 'homeless' }, 'refused'],
	['a context without user', { KUBECONFIG: 'unused-context-half', context: 'anonymous' }, 'refused'],
	['a context of a missing cluster', { KUBECONFIG: 'unused-dangling', context: 'no-cluster' }, 'refused'],
	['a context of a missing user', { KUBECONFIG: 'unused-dangling', context: 'no-user' }, 'refused'],

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

	['a server without TLS is not told who we are', one('plain-http'), { path: '/main/version', plain: true }],
	['a server without scheme has no TLS', one('no-scheme'), { path: '/version', plain: true }],

	['certificates in the file', one('data-inside'), byCertificate],
	['certificates in lines', one('data-in-lines'), byCertificate],
	['certificates beside the file', one('certificate-files'), byCertificate],
	['a certificate and a token', one('certificate-and-token'), { ...main, certificate: 'client' }],
	['a certificate in and beside the file', one('certificate-twice'), 'refused'],
	['a certificate without key', one('certificate-no-key'), 'refused'],
	['a certificate with the key of another', one('certificate-other-key'), 'refused'],
	['a certificate that is missing', one('certificate-missing'), 'refused'],
	['an authority in and beside the file', one('authority-twice'), 'refused'],
	['an authority that is missing', one('authority-missing'), 'refused'],
	['an authority in ~', one('authority-home'), 'refused'],
	['an authority that is no PEM', one('authority-no-pem'), 'refused'],
	['an authority that has not signed the server', one('authority-other'), 'refused'],
	['no authority: those of the system', one('authority-none'), 'refused'],
	['a server that is not verified', one('insecure'), main],
	['yes is true', one('insecure-yes'), main],
	['"true" is a text', one('insecure-text'), 'refused'],
	['a server that is not verified, with an authority', one('insecure-with-authority'), 'refused'],
	['another name of the server', one('server-name'), main],
	['another name that the server does not have', one('server-name-wrong'), 'refused'],

	['a token file', one('token-file'), as('from-file')],
	['a token file counts before a token', one('token-and-file'), as('from-file')],
	['a token where the file is missing', one('token-and-missing-file'), main],
	['a token file that is missing', one('token-file-missing'), 'refused'],
	['a token file that is empty', one('token-file-empty'), 'refused'],
	['a password', one('password'), { path: '/main/version', authorization: `Basic ${btoa('a:b')}` }],
	['a token and a password', one('token-and-password'), 'refused'],

	[
		'another user to act as',
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
	['groups without a user to act as', one('acting-as-nobody'), 'refused'],

	['a program beside the file', one('exec-relative'), as('v1')],
	['a program on PATH', { ...one('exec-on-path'), env: { PATH: 'bin' } }, as('v1')],
	['a program that is not on PATH', one('exec-on-path'), 'refused'],
	['a program of v1beta1', one('exec-v1beta1'), as('v1beta1')],
	['a program of v1alpha1', one('exec-v1alpha1'), 'refused'],
	['a program without version', one('exec-no-version'), 'refused'],
	['a program of v1 without interactiveMode', one('exec-no-mode'), 'refused'],
	['a program that needs a terminal', one('exec-always'), 'refused'],
	['a program that can do without a terminal', one('exec-if-available'), as('v1')],
	['a program that is missing', one('exec-missing'), 'refused'],
	['a program that fails', one('exec-fails'), 'refused'],
	['a program that prints nothing', one('exec-silent'), 'refused'],
	['a program that prints another version', one('exec-other-version'), 'refused'],
	['a program that prints a certificate', one('exec-certificate'), byCertificate],
	['a program with environment', one('exec-env'), as('v1-from-kubeconfig')],
	['a program that is told of the cluster', one('exec-cluster-info'), as('v1-main-these')],
	['a program beside a token', one('exec-and-token'), main],
	['a program and a provider', one('exec-and-provider'), 'refused'],
	['a provider that kubectl has dropped', one('provider-gcp'), 'refused'],

	['proxy-url', one('proxy'), { ...main, proxied: true }],
	['proxy-url of a SOCKS proxy', one('far-by-socks'), { ...main, proxied: true }],
	['proxy-url without scheme', one('proxy-no-scheme'), 'refused'],
	['proxy-url of another scheme', one('proxy-ftp'), 'refused'],
	['HTTPS_PROXY', { ...one('far'), env: { HTTPS_PROXY: 'http://PROXY' } }, { ...main, proxied: true }],
	['https_proxy', { ...one('far'), env: { https_proxy: 'http://PROXY' } }, { ...main, proxied: true }],
	[
		'HTTPS_PROXY counts before https_proxy',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', https_proxy: 'http://127.0.0.1:1' } },
		{ ...main, proxied: true },
	],
	['HTTPS_PROXY without scheme', { ...one('far'), env: { HTTPS_PROXY: 'PROXY' } }, { ...main, proxied: true }],
	[
		'HTTPS_PROXY, and NO_PROXY of another host',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', NO_PROXY: 'other.test,10.0.0.0/8' } },
		{ ...main, proxied: true },
	],
	[
		'HTTPS_PROXY, and NO_PROXY of this host',
		{ ...one('far'), env: { HTTPS_PROXY: 'http://PROXY', NO_PROXY: 'other.test, .cluster.test' } },
		'refused',
	],
	['HTTP_PROXY is not for TLS', { ...one('far'), env: { HTTP_PROXY: 'http://PROXY' } }, 'refused'],
	['ALL_PROXY is not read', { ...one('far'), env: { ALL_PROXY: 'http://PROXY' } }, 'refused'],
	['HTTPS_PROXY is not for the loopback', { ...one('plain'), env: { HTTPS_PROXY: 'http://127.0.0.1:1' } }, main],
	[
		'proxy-url counts before HTTPS_PROXY and NO_PROXY',
		{ ...one('far-by-proxy-url'), env: { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' } },
		{ ...main, proxied: true },
	],
]
