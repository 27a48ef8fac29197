import * as z from 'zod'
import { listOf } from '../../contract/bounded.ts'
import { Failure } from '../../runtime/errors.ts'
import { faultsIn } from '../../runtime/faults.ts'
import type { Session } from './session.ts'

/** A list that OpenStack returns in pages. */
type List<T> = { service: 'network' | 'compute'; path: `/${string}`; many: string; item: z.ZodType<T>; query: string }

/** Limits that no legitimate list exceeds: pages, items per page, and characters of all items that are kept. */
const PAGES_MAX = 1_000
const ITEMS_MAX = 20_000
const KEPT_MAX = 16 << 20

const Link = z.object({ rel: z.string(), href: z.string() })

/**
 * Reads every page of a list, and validates item by item. Of the link to the next page, only the query is used: behind a proxy, the link
 * may name another host.
 *
 * @throws Failure BAD_ANSWER if an item is invalid, or if the pages do not end
 */
export async function readPages<T>(session: Session, { service, path, many, item, query: first }: List<T>): Promise<T[]> {
	const Page = z.object({ [many]: z.array(z.unknown()).max(ITEMS_MAX), [`${many}_links`]: listOf(Link, 16).optional() })
	const items: T[] = []
	let kept = 0
	const met = new Set<string>()
	for (let query: string | undefined = first; query !== undefined; ) {
		if (met.has(query)) throw endless(many, `page ${met.size + 1} was already read`)
		if (met.size === PAGES_MAX) throw endless(many, `there are more than ${PAGES_MAX} pages`)
		met.add(query)
		const page = (await session.get(service, `${path}${query}`, Page)) as Record<string, unknown>
		for (const one of page[many] as unknown[]) {
			items.push(readItem(many, item, one))
			kept += JSON.stringify(items.at(-1)).length
			if (kept > KEPT_MAX) throw endless(many, `it has more than ${KEPT_MAX} characters`)
		}
		const next = (page[`${many}_links`] as z.infer<typeof Link>[] | undefined)?.find(({ rel }) => rel === 'next')
		query = next && queryOf(many, next.href)
	}
	return items
}

/** Parses one item. Reading stops at the first invalid item, because each fault of each item would be an object. */
function readItem<T>(many: string, item: z.ZodType<T>, one: unknown): T {
	const parsed = item.safeParse(one)
	if (parsed.success) return parsed.data
	throw new Failure('BAD_ANSWER', `one of the ${many} has an unexpected format: ${faultsIn(parsed.error)}`, { retry: true })
}

function queryOf(many: string, href: string): string {
	const url = URL.parse(href, 'http://localhost')
	if (url) return url.search
	throw new Failure('BAD_ANSWER', `the link to the next page of ${many} is not a URL`, { retry: true })
}

function endless(many: string, why: string): Failure {
	return new Failure('BAD_ANSWER', `the list of ${many} does not end: ${why}`, { retry: true })
}
