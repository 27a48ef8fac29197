import type { BaseImages } from '../images/container-images.ts'
import { allBinaries, findKit, type Kit } from '../kit/kit.ts'
import { checkMachine } from './check-machine.ts'
import { nodeImage } from '../node-image/node-image.ts'
import { type Packages, unpackPackages } from '../base/packages.ts'
import { wholeRegisters } from '../uml/whole-registers.ts'

/** Everything that a lab is built from. */
export interface Prepared {
	readonly kit: Kit
	readonly packages: Packages
	/** The disk from which all nodes start. */
	readonly disk: string
	/** The container images on that disk. */
	readonly images: BaseImages
}

/**
 * Prepares everything for a lab with this many nodes. This takes 0.1 s if everything is cached, and about ten minutes on two cores with an
 * empty cache. Before anything else, throws `Missing` if the machine cannot host the lab.
 */
export async function prepareLab(nodes: number): Promise<Prepared> {
	await checkMachine(nodes)
	const unpacked = await unpackPackages()
	const packages = { ...unpacked, env: { ...unpacked.env, UML_PRELOAD: await wholeRegisters(unpacked) } }
	const kit = await findKit(allBinaries)
	const { path, images } = await nodeImage(kit, packages)
	return { kit, packages, disk: path, images }
}
