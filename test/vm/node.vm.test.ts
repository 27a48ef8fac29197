import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubeGet } from '../../lab/cluster/kube-get.ts'
import { type Lab, startLab } from '../../lab/setup/start-lab.ts'
import type { LabNode } from '../../lab/namespace/lab-node.ts'

/** What the lab stories rely on: nodes that are real machines, and a cloud that plugs and unplugs ports. */

let lab: Lab
let node: LabNode
let folder: string

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'multinic-vm-test-'))
	lab = await startLab({ nodes: 2 })
	node = lab.node('node2')
})

afterAll(async () => {
	await lab?.stop()
	await rm(folder, { recursive: true, force: true })
})

const kubectl = async (...args: string[]) =>
	(await execa(join(lab.bin, 'kubectl'), args, { env: { KUBECONFIG: lab.biz.kubeconfig } })).stdout
const names = async (mac: string) => (await node.ask(`udevadm settle; ip -br link | grep -i ${mac} | cut -d' ' -f1`)).trim()

describe('a node', () => {
	test('is a separate machine: kernel, init, netplan, container runtime', async () => {
		const host = (await execa('uname', ['-r'])).stdout
		expect((await node.ask('uname -r')).trim()).not.toBe(host)
		expect((await node.ask('cat /proc/1/comm')).trim()).toBe('systemd')
		expect(await node.ask('systemctl is-active systemd-networkd containerd kubelet')).toBe('active\nactive\nactive')
		expect(await node.ask('netplan get ethernets.mgmt0.addresses')).toContain('10.77.0.12/24')
		expect(await node.ask('systemctl list-units --failed --no-legend')).toBe('')
	})

	test('returns the output and the exit code of a command', async () => {
		expect(await node.run('echo out; echo err >&2; exit 3')).toEqual({ stdout: 'out', stderr: 'err', exitCode: 3 })
		await expect(node.ask('cat /nowhere')).rejects.toThrow(/node2: cat \/nowhere: exit code 1: .*No such file/)
	})

	test('receives a file with its mode', async () => {
		await writeFile(join(folder, 'file'), 'from the machine\n')
		await node.copyFile(join(folder, 'file'), '/root/file', '0600')
		expect(await node.ask('cat /root/file; stat -c %a /root/file')).toBe('from the machine\n600')
	})

	test('may read its own Node object, but no Secrets', async () => {
		const kubeconfig = '--kubeconfig /etc/kubernetes/kubelet.kubeconfig'
		const token = (await node.ask(`grep -o 'token: .*' ${kubeconfig.split(' ')[1]}`)).replace('token: ', '').trim()
		const access = { ...lab.biz, token }
		expect(await kubeGet(access, '/api/v1/nodes/node2')).toMatchObject({ status: 200 })
		expect(await kubeGet(access, '/api/v1/secrets')).toMatchObject({ status: 403 })
	})
})

describe('a port', () => {
	const mac = 'fa:16:3e:37:c3:f1'

	test('is an unconfigured NIC of the node soon after it is attached', async () => {
		await node.attachPort({ mac: mac.toUpperCase(), gateways: ['192.168.10.1/24'] })
		const name = await names(mac)
		expect(name).not.toBe('')
		expect(await node.ask(`ethtool -P ${name}`)).toContain(mac)
		expect(await node.ask(`ip -br addr show ${name}`)).not.toContain('192.168')
	})

	test('reaches the gateway of its network', async () => {
		const name = await names(mac)
		await node.ask(`ip link set ${name} up; ip addr add 192.168.10.9/24 dev ${name}`)
		expect(await node.ask('ping -c 2 -W 2 192.168.10.1')).toContain('0% packet loss')
	})

	test('is present again after a reboot, in a new boot', async () => {
		const boot = async () => node.ask('cat /proc/sys/kernel/random/boot_id')
		const before = await boot()
		await node.reboot()
		expect(await boot()).not.toBe(before)
		expect(await names(mac)).not.toBe('')
		expect(await node.ports()).toMatchObject([{ mac, network: 'data', index: 1 }])
	})

	test('still works after that reboot', async () => {
		const name = await names(mac)
		await node.ask(`ip link set ${name} up; ip addr replace 192.168.10.9/24 dev ${name}`)
		expect(await node.ask('ping -c 2 -W 2 192.168.10.1')).toContain('0% packet loss')
	})

	test('is present again after a power loss, and so is data that was synced to the disk', async () => {
		await node.ask('echo kept >/root/kept && sync')
		await node.powerOff()
		expect(await node.run('true', { timeoutMs: 4000 })).toMatchObject({ exitCode: 255 })
		await node.powerOn()
		expect(await node.ask('cat /root/kept')).toBe('kept')
		expect(await names(mac)).not.toBe('')
		expect(await node.ask('dmesg | grep -ci "ext4.*error" || true')).toBe('0')
	})

	test('is rejected when it is attached twice', async () => {
		await expect(node.attachPort({ mac })).rejects.toThrow('already attached')
	})

	test('is gone when it is detached, and its place can be used again', async () => {
		await node.detachPort(mac)
		expect(await node.run(`ip -br link | grep ${mac}`)).toMatchObject({ exitCode: 1 })
		await node.attachPort({ mac: 'fa:16:3e:00:00:07', network: 'other' })
		expect(await names('fa:16:3e:00:00:07')).not.toBe('')
	})
})

describe('an image', () => {
	const job = (name: string, image: string) => ({
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name, namespace: 'default' },
		spec: {
			backoffLimit: 0,
			template: {
				spec: {
					restartPolicy: 'Never',
					nodeName: 'node2',
					containers: [{ name: 'main', image, imagePullPolicy: 'Never', command: ['node', '/app/say.js'] }],
				},
			},
		},
	})

	test.each(['first words', 'other words'])('is built, imported without its base image, and run: %s', async words => {
		await writeFile(join(folder, 'Dockerfile'), 'ARG BASE_IMAGE\nFROM $BASE_IMAGE\nCOPY say.js /app/\n')
		await writeFile(join(folder, 'say.js'), `console.log('${words}')`)
		const image = await lab.buildImage({ name: 'localhost/say:dev', dockerfile: join(folder, 'Dockerfile'), context: folder })
		const { size } = await stat(image.archive)
		expect(size).toBeLessThan(100_000)
		await lab.loadImage(image, ['node2'])
		const name = words.replace(' ', '-')
		await execa(join(lab.bin, 'kubectl'), ['create', '-f', '-'], {
			env: { KUBECONFIG: lab.biz.kubeconfig },
			input: JSON.stringify(job(name, image.name)),
		})
		await kubectl('wait', `job/${name}`, '--for=condition=Complete', '--timeout=60s')
		expect(await kubectl('logs', `job/${name}`)).toBe(words)
	})
})

test('a second lab is isolated from the first', async () => {
	await using second = await startLab({ nodes: 1 })
	expect(second.biz.server).not.toBe(lab.biz.server)
	expect(await second.node('node1').ask('ping -c 1 -W 1 10.77.0.12 >/dev/null; echo $?')).toBe('1')
	expect(await kubeGet(second.biz, '/api/v1/nodes/node2')).toMatchObject({ status: 404 })
	expect(await kubeGet(lab.biz, '/api/v1/nodes/node2')).toMatchObject({ status: 200 })
})
