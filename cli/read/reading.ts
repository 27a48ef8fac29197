import type { Cluster } from '../model/io.ts'
import type { Progress } from './progress.ts'

/** Everything that a command needs to read from the cluster. */
export type Reading = { cluster: Cluster; signal: AbortSignal; progress: Progress }
