import type { FastifyInstance } from 'fastify'

/** Port id → a promise that resolves when the first Neutron response that lists the port has been sent. */
export type ListedPorts = Map<string, PromiseWithResolvers<void>>

/**
 * Resolves when a port list that contains this port has been sent for the first time; immediately if that was earlier. Otherwise stays
 * pending.
 */
export function portSeen(ports: ListedPorts, portId: string): Promise<void> {
	return entry(ports, portId).promise
}

/** Records the ports in the scope's responses `{ports: [{id, …}]}`. Lists that were requested without ids are ignored. */
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
