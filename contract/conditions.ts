import * as z from 'zod'
import { Timestamp } from './primitives.ts'

/** Maximum length of a message in a status (characters): each status write sends the whole message. */
export const MESSAGE_MAX = 256

/** A command in parentheses that the user can run next, followed by at most a short sentence. */
const COMMAND_AT_END = / \([^()]* [^()]*\)[^()]{0,64}$/

/**
 * @returns the string, cut to at most `max` characters (by default the maximum of a message). In a longer string, "…" replaces the end, or
 *   the part before a command at the end.
 */
export function cut(text: string, max = MESSAGE_MAX): string {
	if (text.length <= max) return text
	// only the end is searched, because a node may send a string that takes long to search
	const found = COMMAND_AT_END.exec(text.slice(-max))?.[0] ?? ''
	const end = found.length <= max / 2 ? found : ''
	return `${text.slice(0, max - 1 - end.length).toWellFormed()}…${end}`
}

/** A condition of an object, in the format of Kubernetes' own kinds. */
export const Condition = z.object({
	type: z.string().max(64),
	status: z.enum(['True', 'False', 'Unknown']),
	reason: z.string().max(64),
	message: z.string().max(MESSAGE_MAX),
	lastTransitionTime: Timestamp,
	observedGeneration: z.int().min(0).optional(),
})
export type Condition = z.infer<typeof Condition>

/** The conditions of a status; each type occurs once. */
export const Conditions = z
	.array(Condition)
	.max(8)
	.meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
