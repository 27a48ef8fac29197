import type { Cluster } from '../model/io.ts'
import type { Progress } from './progress.ts'

/** What every command of a session needs for reading. */
export type Reading = { cluster: Cluster; signal: AbortSignal; progress: Progress }
