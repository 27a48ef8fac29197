import * as z from 'zod'

/** Who stops the rollout, as the controller writes it down in ConfigMap multinic-rollout-stop, and the CLI reads it. */

export const STOPS_KEY = 'stops'

/** As many as are written down; each of them alone stops all others. */
export const STOPS_MAX = 50

const NamedStop = z.object({ name: z.string(), uid: z.string(), stops: z.string() })

/** A node config by its name and uid, and the reason for which it stops the others. */
export type NamedStop = z.infer<typeof NamedStop>

const Stops = z.array(NamedStop).max(STOPS_MAX)

/** @returns what is on record; undefined where there is no record, or none that can be read */
export function stopsIn(data: Readonly<Record<string, string>> | undefined): readonly NamedStop[] | undefined {
	return Stops.safeParse(jsonOf(data?.[STOPS_KEY] ?? '')).data
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}
