import { apiVersionOf } from '../../../runtime/kube/kind.ts'
import type { Collection, Entry } from './collection.ts'
import { badRequest, expired, tooLarge } from './refusal.ts'
import type { ApiRequest } from './request.ts'
import { selectorOf } from './select.ts'
import type { Store } from './store.ts'

/** Where a list continues: at the version `rv`, after the key `start`. */
type Token = { v: 'meta.k8s.io/v1'; rv: number; start: string }

/**
 * Returns a list, or one page of it, as JSON. All pages of one list show the state at the same version.
 *
 * @throws Refusal 410 for a token that is too old, 504 for a future version
 */
export function listed(store: Store, at: Collection, request: ApiRequest): string {
	const { query } = request
	const token = tokenOf(query.get('continue') ?? '')
	const version = token?.rv ?? store.version()
	mustHaveCome(query.get('resourceVersion'), version)
	const selects = selectorOf(at.kind, selectionOf(request))
	const rest = (token ? rememberedAfter(at, token) : at.sorted()).filter(({ object }) => selects(object))
	// `0` accepts any state, so the API server answers from its watch cache, which has no pages
	const limit = query.get('resourceVersion') === '0' ? rest.length : Number(query.get('limit') ?? 0) || rest.length
	const page = rest.slice(0, limit)
	const last = page.at(-1)
	const next = rest.length > limit && last ? tokenText({ v: 'meta.k8s.io/v1', rv: version, start: last.key }) : undefined
	if (next && !token) at.keep(version)
	const metadata = {
		resourceVersion: String(version),
		...(next && { continue: next, ...(!query.get('labelSelector') && { remainingItemCount: rest.length - limit }) }),
	}
	const apiVersion = apiVersionOf({ ...at.kind, version: request.version })
	const head = JSON.stringify({ kind: `${at.kind.kind}List`, apiVersion, metadata })
	return `${head.slice(0, -1)},"items":[${page.map(entry => itemText(at, entry, request.version)).join(',')}]}`
}

/** Returns the selection of a list or a watch, which its query and path define. */
export function selectionOf({ namespace, query }: ApiRequest) {
	return { namespace, labelSelector: query.get('labelSelector') ?? '', fieldSelector: query.get('fieldSelector') ?? '' }
}

/** Returns the JSON of an object in the requested version. */
export function textAs({ kind }: Collection, entry: Entry, version: string): string {
	if (version === kind.version) return entry.text
	return JSON.stringify({ ...entry.object, apiVersion: apiVersionOf({ ...kind, version }) })
}

/** Returns an item's JSON. Items of built-in kinds omit `apiVersion` and `kind`. */
function itemText(at: Collection, entry: Entry, version: string): string {
	const text = textAs(at, entry, version)
	const { kind, builtIn } = at.kind
	const shared = `{"apiVersion":"${apiVersionOf({ ...at.kind, version })}","kind":"${kind}",`
	return builtIn && text.startsWith(shared) ? `{${text.slice(shared.length)}` : text
}

/** @throws Refusal 504 for a future version */
function mustHaveCome(wanted: string | null, current: number): void {
	if (Number(wanted ?? 0) > current) throw tooLarge(Number(wanted), current)
}

function rememberedAfter(at: Collection, { rv, start }: Token): readonly Entry[] {
	const found = at.kept(rv)
	if (found) return found.slice(found.findIndex(({ key }) => key === start) + 1)
	const freely =
		'You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.'
	const message = `The provided continue parameter is too old to display a consistent list result. ${freely} Continuing with the provided token results in an inconsistent list.`
	throw expired(message, { continue: tokenText({ v: 'meta.k8s.io/v1', rv: -1, start }) })
}

function tokenText(token: Token): string {
	return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function tokenOf(text: string): Token | undefined {
	if (text === '') return undefined
	try {
		return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Token
	} catch {
		throw badRequest('invalid continue token: continue key is not valid: it is not one of this server’s')
	}
}
