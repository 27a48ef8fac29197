import * as z from 'zod'

/** The node configs that stop the rollout. The controller records them in ConfigMap multinic-rollout-stop, and the CLI reads them. */

export const STOPS_KEY = 'stops'

/** Maximum number of recorded node configs; one is enough to stop the rollout. */
export const STOPS_MAX = 50

const NamedStop = z.object({ name: z.string(), uid: z.string(), stops: z.string() })

/** A node config, and the reason why it stops the rollout. */
export type NamedStop = z.infer<typeof NamedStop>

const Stops = z.array(NamedStop).max(STOPS_MAX)

/** @returns the recorded node configs; undefined if there is no valid record */
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
