import { createDecipheriv } from 'node:crypto'
import { refuse } from '../failures.ts'

/**
 * Opens a password of Contrabass: Base64 of a 16-byte IV and AES-CBC ciphertext with PKCS#5 padding.
 *
 * @param key 16, 24 or 32 bytes of text: AES-128, -192 or -256
 * @throws Failure ContrabassError that says whether the key or the text is wrong, and repeats neither
 */
export function decrypt(text: string, key: string): string {
	const bits = Buffer.byteLength(key) * 8
	if (![128, 192, 256].includes(bits))
		throw refuse('ContrabassError', `the Contrabass encryption key has ${bits / 8} bytes; it must have 16, 24 or 32`)
	const bytes = Buffer.from(text, 'base64')
	if (bytes.length < 32 || bytes.length % 16 !== 0)
		throw refuse('ContrabassError', 'adminPw of the provider is not Base64 of an IV and AES-CBC ciphertext')
	try {
		const decipher = createDecipheriv(`aes-${bits}-cbc`, key, bytes.subarray(0, 16))
		const plain = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
		return new TextDecoder('utf-8', { fatal: true }).decode(plain)
	} catch {
		// the cause would only say "bad decrypt"; one wrong key in 256 passes the padding and then fails as UTF-8, or at Keystone
		throw refuse(
			'ContrabassError',
			'adminPw of the provider does not open with the Contrabass encryption key: it is not the key Contrabass uses',
		)
	}
}
