import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificate } from '../../../bench/agent/certificate.ts'
import type { Recorder } from './recorder.ts'

const fixtures = join(import.meta.dirname, '../../fixtures/kubeconfigs')

/**
 * Copies the fixtures with the addresses of the recorder, and adds the files that they refer to.
 *
 * @returns the path of the copy, and a function that removes it
 */
export async function kubeconfigFolder({ ca, places }: Recorder): Promise<{ path: string; remove: () => Promise<void> }> {
	const path = await mkdtemp(join(tmpdir(), 'multinic-test-'))
	await cp(fixtures, path, { recursive: true })
	for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile()) continue
		const file = join(entry.parentPath, entry.name)
		await writeFile(
			file,
			(await readFile(file, 'utf8'))
				.replaceAll('127.0.0.1:6443', places.tls)
				.replaceAll('127.0.0.1:8080', places.plain)
				.replaceAll('127.0.0.1:3128', places.proxy)
				.replaceAll('127.0.0.1:1080', places.socks),
		)
	}
	const [client, other] = [certificate(new Date(), 'client'), certificate(new Date(), 'other')]
	const beside = {
		'ca.pem': ca,
		'client.pem': client.cert,
		'client-key.pem': client.key,
		'other-key.pem': other.key,
		token: 'from-file\n',
		empty: '\n',
	}
	for (const [name, text] of Object.entries(beside)) await writeFile(join(path, name), text)
	await dataInside(path, client)
	await otherEncodings(path)
	await mkdir(join(path, 'bin'))
	await writeFile(join(path, 'bin/login'), login(client))
	await chmod(join(path, 'bin/login'), 0o755)
	await mkdir(join(path, '.kube'))
	await writeFile(
		join(path, '.kube/config'),
		(await readFile(join(path, 'second-of-two'), 'utf8')).replace('current-context: other', 'current-context: main'),
	)
	await cp(join(path, 'ca.pem'), join(path, '.kube/ca.pem'))
	await symlink('loop', join(path, 'loop'))
	return { path, remove: () => rm(path, { recursive: true }) }
}

/** Replaces references to files by the data itself, as in most kubeconfigs. */
async function dataInside(path: string, { cert, key }: { cert: string; key: string }): Promise<void> {
	const base64 = (text: string) => Buffer.from(text).toString('base64')
	const text = await readFile(join(path, 'certificate-files'), 'utf8')
	const authority = base64(await readFile(join(path, 'ca.pem'), 'utf8'))
	const inside = text
		.replace('certificate-authority: ca.pem', `certificate-authority-data: ${authority}`)
		.replace('client-certificate: client.pem', `client-certificate-data: ${base64(cert)}`)
		.replace('client-key: client-key.pem', `client-key-data: ${base64(key)}`)
	await writeFile(join(path, 'data-inside'), inside)
	await writeFile(join(path, 'data-in-lines'), inside.replace(authority, `"${authority.replace(/(.{64})/g, '$1\\n')}"`))
}

async function otherEncodings(path: string): Promise<void> {
	const text = await readFile(join(path, 'plain'), 'utf8')
	await writeFile(join(path, 'utf-8-bom'), `\ufeff${text}`)
	await writeFile(join(path, 'utf-16'), `\ufeff${text}`, 'utf16le')
	await writeFile(join(path, 'crlf'), text.replaceAll('\n', '\r\n'))
}

/** Returns an exec plugin whose token contains its input. */
function login({ cert, key }: { cert: string; key: string }): string {
	const status = JSON.stringify({ clientCertificateData: cert, clientKeyData: key })
	return `#!${process.execPath}
const [how] = process.argv.slice(2)
const { apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
if (how === 'fail') process.exit(3)
if (how === 'silent') process.exit(0)
const { cluster } = spec
const told = [apiVersion.split('/')[1], spec.interactive && 'interactive', process.env.SHOWN, cluster?.server.split('/').pop(), cluster?.config?.audience]
const status = how === 'certificate' ? ${status} : { token: told.filter(Boolean).join('-') }
console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: how === 'beta' ? 'client.authentication.k8s.io/v1beta1' : apiVersion, status }))
`
}
