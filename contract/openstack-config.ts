import * as z from 'zod'
import { Conditions, MESSAGE_MAX } from './conditions.ts'
import { Timestamp } from './primitives.ts'

/** OpenstackConfig: selects the ports of VMs that become interfaces of a biz cluster (spec: users, status: mgmt). */

const Text = z.string().min(1).max(253)
const Url = z
	.string()
	.max(2048)
	.regex(/^https?:\/\/[^ ]+$/, 'must be an http or https URL')
	.refine(text => URL.canParse(text), 'must be a URL that can be called: https://host:port/path')
/** Each part has at most eight digits, so that the milliseconds of every valid duration are a safe integer. */
export const GoDuration = z
	.string()
	.max(32)
	.regex(/^([0-9]{1,8}(\.[0-9]{1,8})?(ms|s|m|h))+$/, 'must be a duration such as 30s, 2m or 1h30m')

export const SecretKeyRef = z.object({ name: Text, key: Text }).describe('A key of a Secret in the same namespace')
export type SecretKeyRef = z.infer<typeof SecretKeyRef>

export const Credentials = z.object({
	openstackProviderID: Text.optional().describe('Provider to look up in Contrabass'),
	k8sProviderID: Text.optional().describe('Biz cluster that viola routes to; default openstackProviderID'),
	projectID: Text.describe('OpenStack project that owns the ports'),
	authURL: Url.optional().describe('Keystone, for use without Contrabass'),
	username: Text.optional(),
	passwordSecretRef: SecretKeyRef.optional(),
	password: Text.optional().describe('Deprecated: use passwordSecretRef'),
	domainName: Text.optional(),
	networkEndpoint: Url.optional(),
	computeEndpoint: Url.optional(),
})
export type Credentials = z.infer<typeof Credentials>

export const OpenstackSettings = z.object({
	contrabassEndpoint: Url.optional(),
	contrabassEncryptKey: Text.optional().describe('Deprecated: use secrets.contrabassEncryptKeySecretRef'),
	contrabassTimeout: GoDuration.optional(),
	contrabassInsecureTLS: z.boolean().optional(),
	violaEndpoint: Url.optional(),
	violaTimeout: GoDuration.optional(),
	violaInsecureTLS: z.boolean().optional(),
	openstackTimeout: GoDuration.optional(),
	openstackInsecureTLS: z.boolean().optional(),
	openstackNeutronEndpoint: Url.optional(),
	openstackNovaEndpoint: Url.optional(),
	openstackEndpointInterface: z.enum(['public', 'internal', 'admin']).optional(),
	openstackEndpointRegion: z.string().max(253).optional(),
	openstackNodeNameMetadataKey: z.string().max(253).optional(),
	openstackPortAllowedStatuses: z.array(z.string().max(32)).max(16).optional(),
	caBundle: z.string().max(65_536).optional().describe('PEM certificates trusted for Contrabass, OpenStack and viola'),
	downPortFastRetryMax: z.int().min(0).max(1000).optional().describe('Maximum number of fast polls for the same DOWN ports; default 5'),
	pollFastInterval: GoDuration.optional(),
	pollSlowInterval: GoDuration.optional(),
	pollErrorInterval: GoDuration.optional(),
	pollFastWindow: GoDuration.optional(),
})
export type OpenstackSettings = z.infer<typeof OpenstackSettings>

export const OpenstackConfigSpec = z
	.object({
		vmNames: z.array(Text).max(1000).optional().describe('Names or ids of VMs'),
		vmIDs: z.array(Text).max(1000).optional(),
		subnetIDs: z.array(Text).max(64).optional(),
		subnetID: Text.optional(),
		subnetName: Text.optional(),
		credentials: Credentials,
		settings: OpenstackSettings.optional(),
		secrets: z.object({ contrabassEncryptKeySecretRef: SecretKeyRef.optional(), violaTokenSecretRef: SecretKeyRef.optional() }).optional(),
	})
	.meta({
		'x-kubernetes-validations': [
			{
				rule: '(has(self.vmNames) && size(self.vmNames) > 0) || (has(self.vmIDs) && size(self.vmIDs) > 0)',
				message: 'vmNames or vmIDs must name at least one VM',
			},
			{
				rule: '(has(self.subnetIDs) && size(self.subnetIDs) > 0) || has(self.subnetID) || has(self.subnetName)',
				message: 'one of subnetIDs, subnetID and subnetName is required',
			},
			{
				rule: 'has(self.credentials.openstackProviderID) || has(self.credentials.authURL)',
				message: 'credentials require openstackProviderID (Contrabass) or authURL (Keystone)',
				fieldPath: '.credentials',
			},
		],
	})
export type OpenstackConfigSpec = z.infer<typeof OpenstackConfigSpec>

/** Maximum number of nodes of one OpenstackConfig, because its status lists all of them. */
export const NODES_MAX = 1_000

export const SyncedNode = z.object({
	nodeName: z.string().max(253),
	interfaces: z.int().min(0),
	sent: Timestamp.optional(),
	state: z.string().max(32).optional().describe('State reported by the biz cluster'),
	message: z.string().max(MESSAGE_MAX).optional(),
})
export type SyncedNode = z.infer<typeof SyncedNode>

export const OpenstackConfigStatus = z.object({
	observedGeneration: z.int().min(0).optional(),
	conditions: Conditions.optional(),
	lastSyncedAt: Timestamp.optional(),
	lastError: z.string().max(512).optional(),
	nodes: z
		.array(SyncedNode)
		.max(NODES_MAX)
		.optional()
		.meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['nodeName'] }),
})
export type OpenstackConfigStatus = z.infer<typeof OpenstackConfigStatus>

export const OpenstackConfig = z.object({ spec: OpenstackConfigSpec, status: OpenstackConfigStatus.optional() })
export type OpenstackConfig = z.infer<typeof OpenstackConfig>
