import type { Endpoint } from './origin.ts'

/** The settings with which one OpenstackConfig is reconciled: its own take precedence over the environment's. */
export type Settings = {
	/** The id by which viola routes. */
	providerId: string
	projectId: string
	vms: readonly string[]
	subnets: { ids: readonly string[] } | { name: string }
	nodeNameKey: string
	/** Upper case; undefined: every status. */
	statuses: ReadonlySet<string> | undefined
	contrabass?: Contrabass
	openstack: OpenStack
	viola: Remote
	poll: Poll
}

/** How often OpenStack is polled; times in milliseconds. `downPortLooks`: maximum number of fast polls for the same DOWN ports. */
export type Poll = { fastMs: number; slowMs: number; errorMs: number; windowMs: number; downPortLooks: number }

/** A remote system and how it is reached; times in milliseconds. */
export type Remote = { endpoint: Endpoint; timeoutMs: number; insecure: boolean; ca?: string }
export type Contrabass = Remote & { openstackProviderId: string }
/** Selects the endpoint in the catalog; an override takes precedence. */
export type Endpoints = { side: 'public' | 'internal' | 'admin'; region: string; network?: Endpoint; compute?: Endpoint }
export type OpenStack = Omit<Remote, 'endpoint'> & {
	/** Set without Contrabass. */
	keystone: Endpoint | undefined
	endpoints: Endpoints
	/** The field of the OpenstackConfig that decides which certificates are trusted; undefined: the environment decides. */
	trustField: string | undefined
}
