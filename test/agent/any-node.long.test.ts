/** Like `any-node.test.ts`, with many more nodes, which differ in each run. */
process.env.NODES ??= '50000'

await import('./any-node.test.ts')
