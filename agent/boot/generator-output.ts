import type { Files } from '../persist/netplan-after.ts'
import type { Generated } from '../plan/file-steps.ts'

/** Output of netplan's generator, and its message if it rejects the files. */

export type Verdict = {
	files: Generated
	/** All .network files that it generates, of all links. */
	made?: Files
	complaint?: string
}
