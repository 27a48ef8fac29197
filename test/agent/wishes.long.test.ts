/** As many wishes as find what one in a hundred shows, others each time: `wishes.kernel.test.ts` has a few that are always the same. */
process.env.WISHES ??= '150'
process.env.SEED ??= String(Math.floor(Math.random() * 2 ** 31))

await import('./wishes.kernel.test.ts')
