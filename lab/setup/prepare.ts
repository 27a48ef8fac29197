import type { BaseImages } from '../images/container-images.ts'
import { allBinaries, findKit, type Kit } from '../kit/kit.ts'
import { checkMachine } from './check-machine.ts'
import { nodeImage } from '../node-image/node-image.ts'
import { type Packages, unpackPackages } from '../base/packages.ts'
import { wholeRegisters } from '../uml/whole-registers.ts'

/** Everything that a lab is made from. */
export interface Prepared {
	readonly kit: Kit
	readonly packages: Packages
	/** The disk from which all nodes start. */
	readonly disk: string
	/** The images on that disk. */
	readonly images: BaseImages
}

/**
 * Prepares everything for a lab with this many nodes: nothing to do takes 0.1 s, from an empty cache about ten minutes on two cores. Throws
 * `Missing`, before anything else, if the machine cannot host it.
 */
export async function prepareLab(nodes: number): Promise<Prepared> {
	await checkMachine(nodes)
	const unpacked = await unpackPackages()
	const packages = { ...unpacked, env: { ...unpacked.env, UML_PRELOAD: await wholeRegisters(unpacked) } }
	const kit = await findKit(allBinaries)
	const { path, images } = await nodeImage(kit, packages)
	return { kit, packages, disk: path, images }
}
