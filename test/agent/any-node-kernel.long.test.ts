/** Like `any-node.kernel.test.ts`, with many more nodes, different ones in each run. */
process.env.KERNEL_NODES ??= '2000'
process.env.SEED ??= String(Math.floor(Math.random() * 2 ** 31))

await import('./any-node.kernel.test.ts')
