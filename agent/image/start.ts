import { dirname } from 'node:path'
import { agentScript } from './script.ts'

/** Entry point of the image. Node's own compile cache would contain only what is compiled before the agent runs, which is little. */
agentScript(dirname(process.argv[1] ?? '')).runInThisContext()
