import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, startLab } from '../../lab/setup/start-lab.ts'
import { until } from '../../lab/base/daemon.ts'
import { baseImage } from '../../lab/images/container-images.ts'

/** Services of the lab: pods and nodes reach them by cluster IP and by name, wherever the endpoint is. */

let lab: Lab

const server = `require('node:http').createServer((_, answer) => answer.end('hello')).listen(80)`

beforeAll(async () => {
	lab = await startLab({ nodes: 2 })
	const pods = [
		pod('server', 'node1', ['node', '-e', server]),
		pod('same-node', 'node1', ['sleep', 'infinity']),
		pod('other-node', 'node2', ['sleep', 'infinity']),
		pod('host-network', 'node2', ['sleep', 'infinity'], { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }),
	]
	await apply(...pods, service('echo', {}), service('echo-pods', { clusterIP: 'None' }))
	await kubectl('wait', 'pod', '--all', '--for=condition=Ready', '--timeout=300s')
	await until('the headless Service has an address', async () => (await get('other-node', 'http://echo-pods')) === 'hello')
})

afterAll(() => lab?.stop())

const kubectl = async (...args: string[]) =>
	(await execa(join(lab.bin, 'kubectl'), args, { env: { KUBECONFIG: lab.biz.kubeconfig } })).stdout

const apply = async (...objects: object[]) =>
	execa(join(lab.bin, 'kubectl'), ['apply', '-f', '-'], {
		env: { KUBECONFIG: lab.biz.kubeconfig },
		input: objects.map(object => JSON.stringify(object)).join('\n'),
	})

/** Sends a GET from a pod. Returns the body of the response, or the code of the error. */
const get = async (from: string, url: string) => {
	const ca = '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'
	const script = `fetch('${url}').then(answer => answer.text(), error => error.cause.code).then(console.log)`
	return kubectl('exec', from, '--', 'env', `NODE_EXTRA_CA_CERTS=${ca}`, 'node', '-e', script)
}

const clusterIp = async (name: string) => kubectl('get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}')

describe.each(['server', 'same-node', 'other-node', 'host-network'])('the pod %s', from => {
	test.each([
		['its name', 'http://echo'],
		['its name and namespace', 'http://echo.default'],
		['its full name', 'http://echo.default.svc.cluster.local'],
		['the name of a headless Service', 'http://echo-pods'],
	])('reaches the Service by %s', async (_, url) => {
		expect(await get(from, url)).toBe('hello')
	})

	test('reaches the Service by its cluster IP', async () => {
		expect(await get(from, `http://${await clusterIp('echo')}`)).toBe('hello')
	})

	test.each(['https://10.96.0.1', 'https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'])(
		'reaches the API server at %s, whose certificate is valid for that name',
		async url => {
			expect(await get(from, `${url}/version`)).toContain('gitVersion')
		},
	)

	test.each(['http://nothing', 'http://nothing.default.svc.cluster.local', 'http://example.com'])(
		'immediately gets the answer that %s does not exist',
		async url => {
			expect(await get(from, url)).toBe('ENOTFOUND')
		},
	)
})

test('a node itself resolves the full name of a Service, with the same DNS server', async () => {
	expect(await lab.node('node2').ask('getent hosts echo.default.svc.cluster.local')).toContain(await clusterIp('echo'))
})

test('the lab forwards nothing from the nodes to a data network', async () => {
	const [one, two] = [lab.node('node1'), lab.node('node2')]
	const mac = 'fa:16:3e:00:00:09'
	await one.attachPort({ mac, gateways: ['192.168.10.1/24'] })
	await one.ask(`n=$(ip -br link | grep ${mac} | cut -d' ' -f1); ip link set $n up; ip addr add 192.168.10.9/24 dev $n`)
	expect(await one.run('ping -c 1 -W 2 192.168.10.1')).toMatchObject({ exitCode: 0 })
	expect(await two.run('ping -c 1 -W 2 192.168.10.9')).toMatchObject({ exitCode: 1 })
})

test('a Service that is deleted has no name any more, and a new one has a name soon', async () => {
	await kubectl('delete', 'service', 'echo')
	await apply(service('later', {}))
	await until('the new Service is reachable', async () => (await get('other-node', 'http://later')) === 'hello')
	expect(await get('other-node', 'http://echo')).toBe('ENOTFOUND')
})

function pod(name: string, nodeName: string, command: string[], more: object = {}) {
	const containers = [{ name: 'main', image: baseImage, imagePullPolicy: 'Never', command }]
	const spec = { nodeName, terminationGracePeriodSeconds: 0, containers, ...more }
	return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec }
}

function service(name: string, more: object) {
	const spec = { selector: { app: 'server' }, ports: [{ port: 80 }], ...more }
	return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec }
}
