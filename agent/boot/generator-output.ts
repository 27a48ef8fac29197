import type { NetplanFiles } from '../persist/netplan-after.ts'
import type { Generated } from '../plan/file-steps.ts'

/** Output of netplan's generator, and its message if it rejects the files. */

export type GeneratorOutput = {
	files: Generated
	/** All .network files that the generator creates for any link. */
	made?: NetplanFiles
	complaint?: string
}
