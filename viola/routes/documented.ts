import * as z from 'zod'
import { Interface } from '../../contract/interface.ts'
import { MAX_INTERFACES } from '../../contract/names.ts'
import { SentNodeName } from '../../contract/primitives.ts'
import {
	NodeConfigList,
	NodeConfigRequest,
	NodeConfigsResponse,
	NodeConfigView,
	PostQuery,
	PROVIDER_HEADER,
} from '../../contract/viola-api.ts'
import { ErrorResponse, withForms } from '../../runtime/open-api.ts'
import { NODES_MAX } from '../apply/read-body.ts'
import { ListQuery } from '../read/query.ts'
import { NoQuery } from './request.ts'

/** The schemas of the routes for the OpenAPI document. The handlers parse what they receive. */

const headers = z.object({ [PROVIDER_HEADER]: z.string().min(1).describe('The biz cluster (k8sProviderID)') })
const params = z.object({ nodeName: SentNodeName })
const ofOneNode = { headers, params, querystring: NoQuery }

const { macAddress, ...optional } = Interface.shape

/** What older clients send for an absent field. */
const absent = [z.null(), z.literal('')] as const
const optionalOrAbsent = Object.fromEntries(Object.entries(optional).map(([name, schema]) => [name, z.union([schema, ...absent])]))

const SentInterface = z.object({ macAddress, ...optionalOrAbsent, mtu: z.union([optional.mtu, z.literal(0), ...absent]) })

const interfaces = z
	.array(SentInterface)
	.max(MAX_INTERFACES)
	.describe('Replaces all interfaces of the node; [] removes them. In an interface, null, "" and mtu 0 mean that the field is absent')

export const info = {
	title: 'MultiNIC viola',
	description: 'Writes node configs to biz clusters, and shows what is in force there. There is no default cluster.',
	version: '1',
	isValidating: false,
}

export const post = {
	summary: 'Creates or updates the node configs of the nodes in the body. Each node is independent of the others.',
	headers,
	querystring: PostQuery,
	body: z.array(NodeConfigRequest.extend({ interfaces })).min(1).max(NODES_MAX),
	response: {
		200: NodeConfigsResponse.describe('Every node was applied'),
		422: NodeConfigsResponse.describe('Some nodes were not applied, and none of them can be applied unchanged'),
		503: z
			.union([NodeConfigsResponse, ErrorResponse])
			.describe('Some nodes were not applied, and at least one of them may be applied later; or an error, and no node was applied'),
	},
}

export const list = {
	summary: 'Lists the node configs, or streams them and their changes.',
	headers: headers.extend({ 'last-event-id': z.string().optional().describe('Of a stream: continues after this event') }),
	querystring: ListQuery,
	response: { 200: withForms(NodeConfigList.describe('The node configs, ordered by name'), 'text/event-stream') },
}

export const one = {
	summary: 'Returns the node config of one node.',
	...ofOneNode,
	response: { 200: NodeConfigView.describe('The node config') },
}

const Deleted = z.object({ nodeName: z.string(), status: z.enum(['deleted', 'absent']) })
export const remove = {
	summary: 'Deletes the node config of one node. Its NICs are removed first.',
	...ofOneNode,
	response: { 200: Deleted.describe('It was deleted, or did not exist') },
}
