import { dirname } from 'node:path'
import { agentScript } from './script.ts'

/** What the image starts. Of Node's own compile cache it would have only what is compiled before the agent runs, which is little. */
agentScript(dirname(process.argv[1] ?? '')).runInThisContext()
