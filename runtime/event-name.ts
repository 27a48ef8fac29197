import { createHmac } from 'node:crypto'

/**
 * The name of one of our Events. A kubelet may create Events of any name, and one that is there already is not written; so a name ends in what it
 * cannot guess, and who knows the secret can tell ours from a forged one.
 *
 * @param moment what happened to what: the same again has the same name
 * @param secret that no node knows, and that is the same for every process of this cluster
 */
export function eventName(moment: string, secret: string): string {
	return `${moment}.${createHmac('sha256', secret).update(moment).digest('hex').slice(0, LENGTH)}`
}

/** @returns whether who gave this name knew the secret; never where there is none */
export function isOurEventName(name: string, secret: string): boolean {
	return secret !== '' && name === eventName(name.slice(0, -LENGTH - 1), secret)
}

const LENGTH = 16
