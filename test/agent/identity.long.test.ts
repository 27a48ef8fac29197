/** As `identity.kernel.test.ts`, with many more links, others each time. */
process.env.LINKS ??= '2000'
process.env.SEED ??= String(Math.floor(Math.random() * 2 ** 31))

await import('./identity.kernel.test.ts')
