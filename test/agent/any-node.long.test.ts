/** As `any-node.test.ts`, with many more nodes, others each time. */
process.env.NODES ??= '50000'
process.env.SEED ??= String(Math.floor(Math.random() * 2 ** 31))

await import('./any-node.test.ts')
