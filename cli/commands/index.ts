import type { CommandSpec } from '../read/session.ts'
import { get } from './get.ts'
import { history } from './history.ts'
import { logs } from './logs.ts'
import { diff, plan } from './inspect.ts'
import { pause, resume } from './pause.ts'
import { retry } from './retry.ts'
import { supportBundle } from './support-bundle.ts'

/** Every command that accesses a cluster, in the order of the help. */
export const commands: readonly CommandSpec<object>[] = [get, diff, plan, retry, pause, resume, history, logs, supportBundle]
