import * as z from 'zod'
import { Timestamp } from './primitives.ts'

/** Maximum length of a message in a status (characters): every write sends every byte. */
export const MESSAGE_MAX = 256

/** A command in brackets that the user can run next, and at most a short sentence after it. */
const COMMAND_AT_END = / \([^()]* [^()]*\)[^()]{0,64}$/

/**
 * @returns `text` with at most `max` characters (default: those of a message). In a longer text, "…" replaces its end, or what precedes the
 * command at its end.
 */
export function cut(text: string, max = MESSAGE_MAX): string {
	if (text.length <= max) return text
	// only the end is searched: a node may write a text that is slow to search
	const found = COMMAND_AT_END.exec(text.slice(-max))?.[0] ?? ''
	const end = found.length <= max / 2 ? found : ''
	return `${text.slice(0, max - 1 - end.length).toWellFormed()}…${end}`
}

/** A condition of an object, in the form that Kubernetes' own kinds use. */
export const Condition = z.object({
	type: z.string().max(64),
	status: z.enum(['True', 'False', 'Unknown']),
	reason: z.string().max(64),
	message: z.string().max(MESSAGE_MAX),
	lastTransitionTime: Timestamp,
	observedGeneration: z.int().min(0).optional(),
})
export type Condition = z.infer<typeof Condition>

/** The conditions of a status, each type once. */
export const Conditions = z
	.array(Condition)
	.max(8)
	.meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
