import { createHmac } from 'node:crypto'

/**
 * Returns the name of a MultiNIC Event. A kubelet may create Events with any name, and MultiNIC does not write an Event whose name already
 * exists. Therefore the name ends in a suffix that a kubelet cannot guess, and any process that knows the secret can detect a forged name.
 *
 * @param moment identifies what happened to which object: the same moment always has the same name
 * @param secret not known to any node, and the same for all processes of this cluster
 */
export function eventName(moment: string, secret: string): string {
	return `${moment}.${createHmac('sha256', secret).update(moment).digest('hex').slice(0, LENGTH)}`
}

/** @returns whether the name was made with the secret; always false if the secret is empty */
export function isOurEventName(name: string, secret: string): boolean {
	return secret !== '' && name === eventName(name.slice(0, -LENGTH - 1), secret)
}

const LENGTH = 16
