import { createDecipheriv, createHash } from 'node:crypto'
import { refuse } from '../model/failures.ts'

/**
 * Decrypts a password from Contrabass: Base64 of AES-CBC ciphertext with PKCS#5 padding, in one of two formats.
 *
 * The systems in production put a 16-byte IV before the ciphertext, and the bytes of the key string are the key: 16, 24 or 32 bytes for
 * AES-128, -192 or -256. The first documents show `U2FsdGVkX1…`, which is `Salted__` and an 8-byte salt, as written by OpenSSL and
 * CryptoJS; the key is then a passphrase of any length.
 *
 * @throws Failure ContrabassError that states whether the key or the ciphertext is wrong, and contains neither
 */
export function decrypt(text: string, key: string): string {
	const bytes = Buffer.from(text, 'base64')
	if (bytes.length < 32 || bytes.length % 16 !== 0)
		throw refuse('ContrabassError', 'adminPw of the provider is not Base64 of an IV, or Salted__ and a salt, and AES-CBC ciphertext')
	const [head, sealed] = [bytes.subarray(0, 16), bytes.subarray(16)]
	for (const lock of isSalted(head) ? passphraseLocks(key, head.subarray(8)) : [rawLock(key, head)]) {
		const plain = open(sealed, lock)
		if (plain !== undefined) return plain
	}
	throw refuse(
		'ContrabassError',
		'adminPw of the provider cannot be decrypted with the Contrabass encryption key: Contrabass uses another key',
	)
}

type Lock = { key: Buffer; iv: Buffer }

function isSalted(head: Buffer): boolean {
	return head.subarray(0, 8).toString('latin1') === 'Salted__'
}

function rawLock(text: string, iv: Buffer): Lock {
	const key = Buffer.from(text)
	if ([16, 24, 32].includes(key.length)) return { key, iv }
	throw refuse('ContrabassError', `the Contrabass encryption key has ${key.length} bytes; it must have 16, 24 or 32`)
}

/**
 * Derives the possible keys. The ciphertext does not show which digest and which key length were used: OpenSSL uses SHA-256 since 1.1.0,
 * earlier versions and CryptoJS use MD5, and the documents specify AES-128 while the default of CryptoJS is AES-256. A wrong key fails to
 * decrypt: see {@link open}.
 */
function passphraseLocks(passphrase: string, salt: Buffer): Lock[] {
	return ['sha256', 'md5'].flatMap(digest => [16, 32, 24].map(bytes => derive(digest, passphrase, { salt, bytes })))
}

/** Derives a key and IV like EVP_BytesToKey(3) with one iteration: concatenated digests of (the previous digest, passphrase, salt). */
function derive(digest: string, passphrase: string, { salt, bytes }: { salt: Buffer; bytes: number }): Lock {
	let [last, all] = [Buffer.alloc(0), Buffer.alloc(0)]
	while (all.length < bytes + 16) {
		last = createHash(digest).update(last).update(passphrase).update(salt).digest()
		all = Buffer.concat([all, last])
	}
	return { key: all.subarray(0, bytes), iv: all.subarray(bytes, bytes + 16) }
}

/**
 * Returns undefined if the key is wrong. One wrong key in 256 passes the padding check; the result is then invalid UTF-8, or Keystone
 * rejects it. The original error would only be "bad decrypt".
 */
function open(sealed: Buffer, { key, iv }: Lock): string | undefined {
	try {
		const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv)
		const plain = Buffer.concat([decipher.update(sealed), decipher.final()])
		return new TextDecoder('utf-8', { fatal: true }).decode(plain)
	} catch {
		return undefined
	}
}
