import { hash } from 'node:crypto'

/** A digest of a set of texts, which does not depend on the order in which they were added. */
export type StateDigest = {
	/** Adds a text, or removes it if it is in the set. */
	toggle(text: string): void
	/** 32 hexadecimal digits. */
	value(): string
}

/**
 * Creates the digest of an empty set.
 *
 * Every replica has the same digest for the same state, whichever changes it has seen: the version of the last deletion, for example, is
 * unknown to a replica that started after it. Two states of a cluster that was restored from a backup have different digests even if
 * their versions are equal.
 */
export function createStateDigest(): StateDigest {
	let sum = 0n
	return {
		toggle: text => {
			sum ^= BigInt(`0x${hash('sha256', text, 'hex').slice(0, 32)}`)
		},
		value: () => sum.toString(16).padStart(32, '0'),
	}
}
