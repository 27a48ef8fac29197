import type { FastifyInstance } from 'fastify'

/** The ports that Neutron has listed to any client, each resolved when the first response that contains it was sent. */
export type ListedPorts = Map<string, PromiseWithResolvers<void>>

/** Resolves when a ports list with this port was first sent; immediately if that was before. Without such a response it stays pending. */
export function portSeen(ports: ListedPorts, portId: string): Promise<void> {
	return entry(ports, portId).promise
}

/** Records the scope's responses `{ports: [{id, …}]}`. A list that is requested without ids does not show which ports there are. */
export function recordListedPorts(scope: FastifyInstance, seen: ListedPorts): FastifyInstance {
	const listed = new WeakMap<object, readonly { id?: string }[]>()
	scope.addHook('preSerialization', async (request, _, body: { ports?: { id?: string }[] }) => {
		if (body.ports) listed.set(request, body.ports)
		return body
	})
	scope.addHook('onResponse', async request => {
		for (const { id } of listed.get(request) ?? []) if (id !== undefined) entry(seen, id).resolve()
	})
	return scope
}

function entry(ports: ListedPorts, portId: string): PromiseWithResolvers<void> {
	const known = ports.get(portId) ?? Promise.withResolvers<void>()
	ports.set(portId, known)
	return known
}
