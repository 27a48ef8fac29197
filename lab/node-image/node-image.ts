import { chmod, cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDir, fingerprint, fingerprintFiles, keepNewest, makeOnce } from '../base/cache.ts'
import { contained } from '../base/contained.ts'
import { debianTree } from '../images/debian-tree.ts'
import { type BaseImages, baseImages } from '../images/container-images.ts'
import type { Kit } from '../kit/kit.ts'
import type { Packages } from '../base/packages.ts'
import { step } from '../base/progress.ts'
import { makeRunDir } from '../base/run-dir.ts'
import { importImages } from './import-images.ts'
import { disabledUnits, maskedUnits } from './unneeded-units.ts'
import { nodePackages } from './node-packages.ts'

/** The disk from which all nodes start; each node writes to its own copy-on-write file. */
export interface NodeImage {
	readonly path: string
	/** The container images on the disk. */
	readonly images: BaseImages
}

const here = import.meta.dirname
const diskBytes = 4 * 2 ** 30

/**
 * Returns the nodes' disk, from the cache or newly created: Debian, kubelet, and containerd with the base images in its store. The file is
 * sparse and takes 1.4 GB.
 */
export async function nodeImage(kit: Kit<'kubelet' | 'pause'>, packages: Packages): Promise<NodeImage> {
	const debian = await debianTree('node', nodePackages, packages)
	const images = await baseImages(kit, packages)
	const makers = await Promise.all(
		['node-image.ts', 'import-images.ts', 'unneeded-units.ts'].map(file => fingerprintFiles(join(here, file))),
	)
	const name = fingerprint(debian, kit.kubelet, images.archive, packages.root, await settingsFingerprint(), ...makers)
	const path = await makeOnce(cacheDir(`node-${name}.img`), draft =>
		step('disk of the nodes', async report => {
			const work = await makeRunDir('disk')
			const tree = join(work.path, 'tree')
			report('copying Debian')
			await contained(['cp', '-a', debian, tree])
			await setUp(tree, kit, packages)
			report('importing images')
			await importImages(tree, images.archive)
			report('writing it')
			await write(tree, draft, packages)
			await work.remove()
		}),
	)
	await keepNewest(cacheDir(), '.img', 3) // 1.5 GB each; a developer with two branches has two
	return { path, images }
}

async function settingsFingerprint(): Promise<string> {
	const { stdout } = await contained(['tar', '--sort=name', '--mtime=@0', '-C', join(here, 'root'), '-cf', '-', '.'], {
		encoding: 'base64',
	})
	return fingerprint(stdout)
}

/** Sets up everything that is identical on all nodes. */
async function setUp(tree: string, kit: Kit<'kubelet'>, packages: Packages): Promise<void> {
	await cp(join(here, 'root'), tree, { recursive: true, force: true })
	await cp(kit.kubelet, join(tree, 'usr/local/bin/kubelet'))
	await cp(join(packages.root, 'usr/lib/uml/modules'), join(tree, 'usr/lib/modules'), { recursive: true })
	await chmod(join(tree, 'usr/sbin/labinit'), 0o755)
	await writeFile(join(tree, 'etc/machine-id'), '') // empty, not absent: systemd generates one per node and does not consider it a first boot
	const units = join(tree, 'etc/systemd/system')
	for (const unit of maskedUnits) await symlink('/dev/null', join(units, unit))
	await mkdir(join(units, 'multi-user.target.wants'), { recursive: true })
	await contained(['chroot', tree, 'systemctl', 'enable', 'kubelet', 'systemd-networkd'])
	await contained(['chroot', tree, 'systemctl', 'disable', ...disabledUnits])
	await writeFile(join(tree, 'etc/cloud/cloud-init.disabled'), '')
	await rm(join(tree, 'usr/share/i18n'), { recursive: true }) // 17 MB of sources for locales, which are not generated here
	await withoutLoginSessions(tree)
}

/** Disables login sessions: creating one for each SSH command takes a second and has no benefit. */
async function withoutLoginSessions(tree: string): Promise<void> {
	await contained(['sed', '-i', 's/^session.*pam_systemd/#&/', join(tree, 'etc/pam.d/common-session')])
}

async function write(tree: string, image: string, { env }: Packages): Promise<void> {
	await writeFile(image, '')
	await truncate(image, diskBytes)
	// With a journal, like a cloud's disks, because a node must boot again after a power cut.
	const options = ['-q', '-F', '-J', 'size=16', '-E', 'lazy_itable_init=1']
	await contained(['mkfs.ext4', ...options, '-d', tree, image], { env })
}
