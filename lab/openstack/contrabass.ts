import { createCipheriv, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/** The record that Contrabass stores for one OpenStack. */
export type Provider = {
	id: string
	keystoneUrl(): string
	adminId: string
	adminPassword: string
	domain: string
	/** 16, 24 or 32 bytes long, for AES-128, -192 or -256. */
	encryptKey: string
}

/** Serves the provider lookup on the given paths: the path of the running systems, and the path in the first documents. */
export function contrabassRoutes(app: FastifyInstance, provider: Provider, paths: readonly ContrabassPath[]): void {
	for (const path of paths)
		app.get<{ Params: { id: string } }>(path, ({ params }, reply) => {
			if (params.id !== provider.id) return reply.code(404).send({ returnCode: 404, returnMessage: `provider ${params.id} not found` })
			return { returnCode: 200, returnMessage: 'OK', data: providerJson(provider) }
		})
}

export const contrabassPaths = ['/v1/contrabass/admin/infra/provider/:id', '/api/providers/:id'] as const
export type ContrabassPath = (typeof contrabassPaths)[number]

function providerJson({ id, keystoneUrl, adminId, adminPassword, domain, encryptKey }: Provider) {
	return { uuid: id, name: 'lab', url: keystoneUrl(), attributes: { adminId, adminPw: encrypt(adminPassword, encryptKey), domain } }
}

/** Encrypts with AES-CBC and PKCS#5 padding. Returns the IV and the ciphertext as Base64. */
export function encrypt(text: string, key: string): string {
	const iv = randomBytes(16)
	const cipher = createCipheriv(`aes-${Buffer.byteLength(key) * 8}-cbc`, key, iv)
	return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64')
}
