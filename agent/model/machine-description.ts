import type { Machine } from '../../contract/agent-run.ts'

/** The DMI strings of the firmware; each is empty if not reported. */
export type Firmware = { vendor: string; product: string; assetTag: string }

/** Raw values read from a machine. */
export type MachineFacts = {
	/** os-release(5). */
	osRelease: string
	kernel: string
	firmware: Firmware
	/** /sys/hypervisor/type, which exists on Xen. */
	hypervisor: string
	/** The beginning of /proc/cpuinfo. */
	cpuinfo: string
	/** Number of CPUs that the kernel uses. */
	cpus: number
	/** Bytes. */
	memory: number
	/** /proc/sys/kernel/random/boot_id. */
	bootId: string
}

/** Returns the description of a machine that a report shows. */
export function describeMachine(facts: MachineFacts): Machine {
	return {
		os: osOf(facts.osRelease),
		kernel: facts.kernel,
		virtualization: virtualizationOf(facts),
		cpus: facts.cpus,
		memoryMiB: Math.round(facts.memory / 1_048_576),
		...(facts.bootId && { bootID: facts.bootId.slice(0, 64) }),
	}
}

/** @returns the system's name with its version, as os-release(5) spells it */
function osOf(osRelease: string): string {
	const of = (key: string) => unquoted(new RegExp(`^${key}=(.*)$`, 'm').exec(osRelease)?.[1] ?? '')
	const name = of('PRETTY_NAME') || `${of('NAME')} ${of('VERSION_ID')}`.trim()
	return name.slice(0, 100) || 'unknown'
}

function unquoted(text: string): string {
	const inner = /^(["'])(.*)\1$/.exec(text.trim())?.[2] ?? text.trim()
	return inner.replace(/\\(["'$`\\])/g, '$1')
}

/** Patterns of the DMI strings of hypervisors, and the names that systemd-detect-virt(1) uses for them. */
const marks: readonly (readonly [mark: RegExp, name: string])[] = [
	[/\b(KVM|OpenStack|QEMU|Red Hat|oVirt|Nutanix)\b/i, 'kvm'],
	[/\bVMware\b/i, 'vmware'],
	[/\bXen\b/i, 'xen'],
	[/\b(VirtualBox|innotek)\b/i, 'oracle'],
	[/^Microsoft Corporation Virtual Machine\b/, 'microsoft'],
	[/^Amazon EC2\b/, 'amazon'],
	[/^Google\b/, 'google'],
	[/\bParallels\b/i, 'parallels'],
	[/\bBHYVE\b/i, 'bhyve'],
]

/** @returns the kind of virtualization; `none` only if the CPU flags show that the machine is physical */
function virtualizationOf({ firmware: { vendor, product }, hypervisor, cpuinfo }: MachineFacts): string {
	const [, name] = marks.find(([mark]) => mark.test(`${vendor} ${product}`)) ?? []
	if (name !== undefined) return name
	if (hypervisor !== '') return hypervisor
	if (cpuinfo.includes('User Mode Linux')) return 'uml'
	const [, flags] = /^flags\s*:(.*)$/m.exec(cpuinfo) ?? []
	if (flags === undefined) return 'unknown'
	return /\bhypervisor\b/.test(flags) ? 'vm-other' : 'none'
}
