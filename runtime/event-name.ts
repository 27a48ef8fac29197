import { createHmac } from 'node:crypto'

/**
 * Returns the name of an Event of MultiNIC. A kubelet may create Events with any name, and an Event that already exists is not written.
 * Therefore a name ends in a part that a kubelet cannot guess, and any process that knows the secret can detect a forged name.
 *
 * @param moment what happened to which object: the same moment always gets the same name
 * @param secret known to no node, and the same for every process of this cluster
 */
export function eventName(moment: string, secret: string): string {
	return `${moment}.${createHmac('sha256', secret).update(moment).digest('hex').slice(0, LENGTH)}`
}

/** @returns whether the name was made with the secret; always false if the secret is empty */
export function isOurEventName(name: string, secret: string): boolean {
	return secret !== '' && name === eventName(name.slice(0, -LENGTH - 1), secret)
}

const LENGTH = 16
