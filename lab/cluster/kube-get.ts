import { get } from 'node:https'
import { text } from 'node:stream/consumers'

/** One user of one API server. */
export interface KubeAccess {
	server: string
	/** PEM. */
	ca: string
	token: string
}

/** The response of the API server to a GET. Status 0: it could not be reached. */
export interface KubeAnswer {
	status: number
	body: string
}

/**
 * Sends one GET with a time limit of 5 s. Never throws. The lab itself sends no other request to a cluster: the other parts have their own
 * client.
 */
export async function kubeGet({ server, ca, token }: KubeAccess, path: string): Promise<KubeAnswer> {
	const { promise, resolve } = Promise.withResolvers<KubeAnswer>()
	const nothing = () => resolve({ status: 0, body: '' })
	const headers = { authorization: `Bearer ${token}` }
	const request = get(`${server}${path}`, { ca, headers, agent: false, timeout: 5000 }, answer => {
		text(answer).then(body => resolve({ status: answer.statusCode ?? 0, body }), nothing)
	})
	request.on('error', nothing)
	request.on('timeout', () => request.destroy())
	return promise
}
