import type { Endpoint } from './origin.ts'

/** The settings for one OpenstackConfig; its own settings take precedence over those of the environment. */
export type Settings = {
	/** The id by which viola routes. */
	providerId: string
	projectId: string
	vms: readonly string[]
	subnets: { ids: readonly string[] } | { name: string }
	nodeNameKey: string
	/** Upper case; undefined to allow every status. */
	statuses: ReadonlySet<string> | undefined
	contrabass?: Contrabass
	openstack: OpenStack
	viola: Remote
	poll: Poll
}

/** How often OpenStack is polled; times are in milliseconds. `downPortLooks`: maximum number of fast polls for the same DOWN ports. */
export type Poll = { fastMs: number; slowMs: number; errorMs: number; windowMs: number; downPortLooks: number }

/** A remote system and how it is reached; times are in milliseconds. */
export type Remote = { endpoint: Endpoint; timeoutMs: number; insecure: boolean; ca?: string }
export type Contrabass = Remote & { openstackProviderId: string }
/** Selects the endpoint in the catalog. `network` and `compute` override it. */
export type Endpoints = { side: 'public' | 'internal' | 'admin'; region: string; network?: Endpoint; compute?: Endpoint }
export type OpenStack = Omit<Remote, 'endpoint'> & {
	/** Set only if Contrabass is not used. */
	keystone: Endpoint | undefined
	endpoints: Endpoints
	/** The field of the OpenstackConfig that determines which certificates are trusted; undefined if the environment does. */
	trustField: string | undefined
}
