import { askMetadata } from '../../agent/host/metadata.ts'

/** What a run would hear that lasts so many milliseconds, and whether it had to wait for it. */
const asked = askMetadata(process.env.HOST_ROOT ?? '')
await new Promise(resolve => setTimeout(resolve, Number(process.argv[2])))
const ended = performance.now()
const heard = await asked.end()
process.stdout.write(JSON.stringify({ heard, waited: performance.now() - ended }))
