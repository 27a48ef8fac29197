import type { FastifyInstance } from 'fastify'

/** Which ports Neutron has listed to whoever asked, each settled when the first answer that holds it was sent. */
export type PortsSeen = Map<string, PromiseWithResolvers<void>>

/** Resolves when a ports list with this port was first answered; at once when that was before. Without such an answer it stays open. */
export function portSeen(ports: PortsSeen, portId: string): Promise<void> {
	return entry(ports, portId).promise
}

/** Has the scope's answers `{ports: [{id, …}]}` noted. A list asked for without its ids shows nobody which ports there are. */
export function noteSeenPorts(scope: FastifyInstance, seen: PortsSeen): FastifyInstance {
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

function entry(ports: PortsSeen, portId: string): PromiseWithResolvers<void> {
	const known = ports.get(portId) ?? Promise.withResolvers<void>()
	ports.set(portId, known)
	return known
}
