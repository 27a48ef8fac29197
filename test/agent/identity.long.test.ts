/** Like `identity.kernel.test.ts`, with many more links, different ones in each run. */
process.env.LINKS ??= '2000'
process.env.SEED ??= String(Math.floor(Math.random() * 2 ** 31))

await import('./identity.kernel.test.ts')
