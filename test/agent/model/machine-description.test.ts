import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Machine } from '../../../contract/agent-run.ts'
import { readMachine } from '../../../agent/host/read-machine.ts'
import { describeMachine, type MachineFacts } from '../../../agent/model/machine-description.ts'
import { reportEarlyEnd } from '../../../agent/report/report.ts'
import { reportText, shortText } from '../../../agent/report/report-text.ts'

const plain: MachineFacts = {
	osRelease: '',
	kernel: '6.8.0-1-generic',
	firmware: { vendor: '', product: '', assetTag: '' },
	hypervisor: '',
	bootId: '',
	cpuinfo: '',
	cpus: 4,
	memory: 8_589_934_592,
}
const flags = (more = '') => `processor\t: 0\nflags\t\t: fpu vme de${more} lahf_lm\nbugs\t\t:\n`

describe('the operating system', () => {
	test.each([
		['Ubuntu 24.04.1 LTS', 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\n'],
		['Rocky Linux 9.4 (Blue Onyx)', "ID=rocky\nPRETTY_NAME='Rocky Linux 9.4 (Blue Onyx)'\n"],
		['Arch Linux', 'PRETTY_NAME=Arch Linux\n'],
		['an "own" $ystem', 'PRETTY_NAME="an \\"own\\" \\$ystem"\n'],
		['Alpine 3.20', 'NAME=Alpine\nVERSION_ID=3.20\n'],
		['unknown', ''],
		['unknown', 'PRETTY_NAME=""\n'],
	])('is %s', (os, osRelease) => {
		expect(describeMachine({ ...plain, osRelease }).os).toBe(os)
	})

	test('has a name that fits into a report, regardless of os-release', () => {
		expect(describeMachine({ ...plain, osRelease: `PRETTY_NAME="${'x'.repeat(10_000)}"\n` }).os).toHaveLength(100)
	})
})

describe('virtualization', () => {
	test.each([
		['kvm', 'OpenStack Foundation', 'OpenStack Nova', ''],
		['kvm', 'Red Hat', 'OpenStack Compute', ''],
		['kvm', 'QEMU', 'Standard PC (Q35 + ICH9, 2009)', ''],
		['vmware', 'VMware, Inc.', 'VMware Virtual Platform', ''],
		['microsoft', 'Microsoft Corporation', 'Virtual Machine', ''],
		['none', 'Microsoft Corporation', 'Surface Book', flags()],
		['xen', 'Xen', 'HVM domU', ''],
		['none', 'Dell Inc.', 'PowerEdge R650', flags()],
		['vm-other', '', '', flags(' hypervisor')],
		['uml', '', '', 'processor\t: 0\nvendor_id\t: User Mode Linux\n'],
		['unknown', 'Some Vendor', 'Some ARM board', 'processor\t: 0\nBogoMIPS\t: 50.00\n'],
		['unknown', '', '', ''],
	])('is %s for %s %s', (virtualization, vendor, product, cpuinfo) => {
		expect(describeMachine({ ...plain, firmware: { vendor, product, assetTag: '' }, cpuinfo }).virtualization).toBe(virtualization)
	})

	test('is the hypervisor that the kernel reports if the firmware data is empty', () => {
		expect(describeMachine({ ...plain, hypervisor: 'xen', cpuinfo: flags(' hypervisor') }).virtualization).toBe('xen')
	})
})

describe('a machine', () => {
	const root = mkdtempSync(join(tmpdir(), 'mn-machine-'))
	afterAll(() => rmSync(root, { recursive: true }))
	const put = (path: string, text: string) => {
		mkdirSync(dirname(root + path), { recursive: true })
		writeFileSync(root + path, text)
	}

	test('is reported even if nothing can be read', async () => {
		const read = Machine.parse(await readMachine(`${root}/nowhere`))
		expect(read).toMatchObject({ os: 'unknown', virtualization: 'unknown', kernel: release() })
		expect(read.memoryMiB).toBeGreaterThan(0)
	})

	test('is that of the host, not of the container', async () => {
		put('/usr/lib/os-release', 'PRETTY_NAME="A Host 1.0"\n')
		put('/etc/hosts', '')
		symlinkSync('/usr/lib/os-release', `${root}/etc/os-release`)
		put('/sys/class/dmi/id/sys_vendor', 'VMware, Inc.\n')
		put('/sys/devices/system/cpu/online', '0-3,8\n')
		expect(await readMachine(root)).toMatchObject({ os: 'A Host 1.0', virtualization: 'vmware', cpus: 5 })
	})

	test('is reported even if its files are directories', async () => {
		mkdirSync(`${root}/odd/etc/os-release`, { recursive: true })
		mkdirSync(`${root}/odd/proc/cpuinfo`, { recursive: true })
		expect(await readMachine(`${root}/odd`)).toMatchObject({ os: 'unknown', virtualization: 'unknown' })
	})

	test('is read on this system', async () => {
		const read = Machine.parse(await readMachine(''))
		expect(read.virtualization).not.toBe('')
		expect(read.cpus).toBeGreaterThan(0)
	})
})

test('the termination message omits the machine', () => {
	const now = new Date(0)
	const identity = { nodeName: 'worker-1', uid: 'a-uid', generation: 1, attempt: 1, mode: 'Apply' as const }
	const report = { ...reportEarlyEnd({ reason: 'RunFailed', message: 'x' }, identity, now), machine: describeMachine(plain) }
	expect(JSON.parse(reportText(report))).toHaveProperty('machine.cpus', 4)
	expect(JSON.parse(shortText(report))).not.toHaveProperty('machine')
})
