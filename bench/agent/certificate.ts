import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

const DAY = 86_400_000

/**
 * @returns a private key and a self-signed certificate for 127.0.0.1 and cluster.test (X.509 v3, P-256), both PEM; valid from one day
 * before `now` to one day after it
 */
export function certificate(now = new Date(), commonName = 'bench'): { key: string; cert: string } {
	const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
	const toSign = signedPart(publicKey, now, nameOf(commonName))
	const signature = sign('sha256', toSign, privateKey)
	const body = der(0x30, toSign, ecdsa, der(0x03, Buffer.of(0), signature)).toString('base64')
	const cert = `-----BEGIN CERTIFICATE-----\n${(body.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`
	return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
}

function signedPart(publicKey: KeyObject, now: Date, name: Buffer): Buffer {
	const version = der(0xa0, der(0x02, Buffer.of(2)))
	const serial = der(0x02, Buffer.of(1), randomBytes(8))
	const lifetime = der(0x30, time(now.getTime() - DAY), time(now.getTime() + DAY))
	const spki = publicKey.export({ type: 'spki', format: 'der' })
	return der(0x30, version, serial, ecdsa, name, lifetime, name, spki, der(0xa3, der(0x30, isAuthority, names)))
}

/** ecdsa-with-SHA256 */
const ecdsa = der(0x30, oid('2a8648ce3d040302'))
const isAuthority = der(0x30, oid('551d13'), der(0x01, Buffer.of(255)), der(0x04, der(0x30, der(0x01, Buffer.of(255)))))
const names = der(0x30, oid('551d11'), der(0x04, der(0x30, der(0x87, Buffer.of(127, 0, 0, 1)), der(0x82, Buffer.from('cluster.test')))))

function nameOf(commonName: string): Buffer {
	return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(commonName)))))
}

function oid(hex: string): Buffer {
	return der(0x06, Buffer.from(hex, 'hex'))
}

/** UTCTime */
function time(milliseconds: number): Buffer {
	return der(0x17, Buffer.from(`${new Date(milliseconds).toISOString().replace(/\D/g, '').slice(2, 14)}Z`))
}

/** Encodes a DER value: tag, length and contents. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
	const contents = Buffer.concat(parts)
	const { length } = contents
	const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
	return Buffer.concat([Buffer.of(tag, ...size), contents])
}
