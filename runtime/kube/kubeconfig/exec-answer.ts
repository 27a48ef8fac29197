import * as z from 'zod'
import { faultsIn } from '../../faults.ts'
import { parseYaml } from './yaml.ts'

/** Reads the output of an exec plugin. Pure. */

/** Certificate and key are PEM; `expires` is in milliseconds since 1970. */
export type PluginCredential = { token?: string; cert?: string; key?: string; expires?: number }

const text = z
	.string()
	.nullish()
	.transform(value => value || undefined)

const ExecCredential = z.object({
	apiVersion: z.string(),
	kind: z.literal('ExecCredential'),
	status: z.object({
		token: text,
		clientCertificateData: text,
		clientKeyData: text,
		expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
	}),
})

/** @returns the credentials, or the fault without any of their values */
export function readPluginAnswer(output: string, apiVersion: string | undefined): PluginCredential | { fault: string } {
	const parsed = ExecCredential.safeParse(contentOf(output))
	if (!parsed.success) return { fault: faultsIn(parsed.error, { whole: 'the output' }) }
	const { status, apiVersion: printed } = parsed.data
	const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status
	if (printed !== apiVersion) return { fault: `apiVersion must be ${apiVersion}, as in the kubeconfig` }
	if ((cert === undefined) !== (key === undefined)) return { fault: 'clientCertificateData and clientKeyData must be set together' }
	if (token === undefined && cert === undefined) return { fault: 'status has neither a token nor a certificate' }
	return {
		...(token !== undefined && { token }),
		...(cert !== undefined && key !== undefined && { cert, key }),
		...(expirationTimestamp && { expires: Date.parse(expirationTimestamp) }),
	}
}

function contentOf(output: string): unknown {
	try {
		return parseYaml(output)
	} catch (error) {
		if (error instanceof SyntaxError) return undefined // the schema reports the missing value
		throw error
	}
}
