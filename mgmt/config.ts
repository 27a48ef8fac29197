import * as z from 'zod'
import { MGMT_LEASE } from '../contract/names.ts'
import { Bool, Duration, HttpUrl, ListenAddress, ObjectName, readEnv, Whole } from '../runtime/env.ts'
import { FixedToken, TokenFile } from '../runtime/token-file.ts'
import { AllowedHosts } from './disclosure/hosts.ts'
import { AllowedProviders } from './disclosure/providers.ts'

/**
 * The environment of `node mgmt/main.ts`: defaults for every OpenstackConfig, whose own settings take precedence. KUBECONFIG, or the pod's
 * service account, selects the cluster.
 */
const Env = z.object({
	CONTRABASS_ENDPOINT: HttpUrl.optional().describe('Contrabass, for OpenstackConfigs with an openstackProviderID'),
	CONTRABASS_ENCRYPT_KEY: z.string().optional().describe('Key of adminPw: 16, 24 or 32 bytes, or the passphrase of a Salted__ one'),
	CONTRABASS_TIMEOUT: Duration.prefault('30s'),
	CONTRABASS_INSECURE_TLS: Bool.default(false),
	OPENSTACK_TIMEOUT: Duration.prefault('30s').describe('Of one request'),
	OPENSTACK_INSECURE_TLS: Bool.default(false),
	OPENSTACK_NEUTRON_ENDPOINT: HttpUrl.optional().describe('Instead of the one in the catalog'),
	OPENSTACK_NOVA_ENDPOINT: HttpUrl.optional().describe('Instead of the one in the catalog'),
	OPENSTACK_ENDPOINT_INTERFACE: z.enum(['public', 'internal', 'admin']).default('public'),
	OPENSTACK_ENDPOINT_REGION: z.string().default('').describe('Default: any region'),
	VIOLA_ENDPOINT: HttpUrl.optional(),
	VIOLA_TIMEOUT: Duration.prefault('30s'),
	VIOLA_INSECURE_TLS: Bool.default(false),
	VIOLA_TOKEN: FixedToken.optional().describe('Bearer token for viola'),
	VIOLA_TOKEN_FILE: TokenFile.optional().describe('File with that token, such as a mounted Secret; read again when it changes'),
	VIOLA_ALLOWED_PROVIDERS: AllowedProviders.optional().describe(
		'Provider ids that may use that token: namespace=id,id;namespace=id. Default: all ids',
	),
	SECRET_ENDPOINT_HOSTS: AllowedHosts.default([]).describe('Hosts to which every secret may be sent, separated by commas'),
	POLL_FAST_INTERVAL: Duration.prefault('20s').describe('After a change, for POLL_FAST_WINDOW'),
	POLL_SLOW_INTERVAL: Duration.prefault('5m').describe('Otherwise'),
	POLL_ERROR_INTERVAL: Duration.prefault('30s').describe('After an error'),
	POLL_FAST_WINDOW: Duration.prefault('3m'),
	MGMT_NAMESPACE: ObjectName.max(63).optional().describe('Namespace of the OpenstackConfigs; default: all namespaces'),
	MGMT_REPLICAS: Whole.pipe(z.int().min(1).max(9)).prefault('1').describe('Number of mgmt processes; more than one needs MariaDB'),
	NAMESPACE: ObjectName.max(63).optional().describe('Namespace of the Lease; default: that of the pod or the kubeconfig'),
	LEADER_ELECT: Bool.default(true).describe('Use leader election; required for more than one mgmt'),
	LEASE_NAME: ObjectName.default(MGMT_LEASE),
	POD_NAME: z.string().max(253).default('').describe('Identity in the Lease; default the host name'),
	MGMT_ADDR: ListenAddress.prefault(':8081').describe('Listen address of /healthz, /readyz and /metrics'),
})
export type Config = Readonly<Omit<z.infer<typeof Env>, 'MGMT_ADDR' | 'VIOLA_TOKEN_FILE'>> & { host: string; port: number }

/** @throws Failure CONFIG_INVALID that names every invalid variable and never contains a secret */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const { MGMT_ADDR, VIOLA_TOKEN_FILE, ...read } = readEnv(Env, env)
	const token = read.VIOLA_TOKEN ?? VIOLA_TOKEN_FILE
	return { ...read, ...MGMT_ADDR, ...(token && { VIOLA_TOKEN: token }) }
}

/** Returns warnings about settings that work but are not recommended. They are logged once at startup. */
export function startWarnings({ VIOLA_TOKEN, VIOLA_ALLOWED_PROVIDERS }: Config): string[] {
	if (!VIOLA_TOKEN || VIOLA_ALLOWED_PROVIDERS) return []
	return ['VIOLA_ALLOWED_PROVIDERS is not set: every OpenstackConfig may use the viola token of mgmt for every provider id']
}

/** Returns why there must not be so many mgmt processes, if that is so. `use`: where the inventory is stored. */
export function replicasRefusal(
	{ MGMT_REPLICAS, LEADER_ELECT }: Pick<Config, 'MGMT_REPLICAS' | 'LEADER_ELECT'>,
	{ use }: { use: 'nothing' | 'sqlite' | 'mariadb' },
): string | undefined {
	if (MGMT_REPLICAS === 1) return undefined
	const several = `MGMT_REPLICAS is ${MGMT_REPLICAS}:`
	if (!LEADER_ELECT) return `${several} more than one mgmt needs leader election; set LEADER_ELECT to true`
	if (use === 'sqlite') return `${several} only one process can use an SQLite file; set DB_HOST to use MariaDB, or run one mgmt`
	return undefined
}
