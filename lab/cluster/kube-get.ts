import { get } from 'node:https'
import { text } from 'node:stream/consumers'

/** The address of an API server and the credentials of one user. */
export interface KubeAccess {
	server: string
	/** CA certificates in PEM format. */
	ca: string
	token: string
}

/** The response of an API server to a GET. Status 0: the API server could not be reached. */
export interface KubeAnswer {
	status: number
	body: string
}

/** Sends one GET with a time limit of 5 s. Never throws. For simple checks only; other requests go through `KubeClient`. */
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
