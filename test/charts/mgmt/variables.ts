import type * as z from 'zod'
import { Env as MgmtEnv } from '../../../mgmt/config.ts'
import { Env as StorageEnv } from '../../../mgmt/inventory/config.ts'
import { accessVariables } from '../../../runtime/auth/config.ts'
import { LogEnv } from '../../../runtime/process.ts'
import { Env as ViolaEnv } from '../../../viola/config.ts'
import type { Values } from './rendered.ts'

/** The variables of both processes, and the value of the chart that sets each. */

export type Component = 'mgmt' | 'viola'

/** What each process reads, as its own schemas say. */
export const schemas: Readonly<Record<Component, Readonly<Record<string, z.ZodType>>>> = {
	mgmt: { ...LogEnv.shape, ...MgmtEnv.shape, ...StorageEnv.shape, ...accessVariables('INVENTORY') },
	viola: { ...LogEnv.shape, ...ViolaEnv.shape, ...accessVariables('VIOLA') },
}

/** value: the one that sets the variable · set: a sample · env: the variable then · beside: values without which it has no effect */
export type Row = { variable: string; value: string; set: unknown; env: string; beside?: Values }

const row = (variable: string, value: string, set: unknown, env = String(set)): Row => ({
	variable,
	value,
	set,
	env,
})
const log = [row('LOG_LEVEL', 'logLevel', 'debug'), row('LOG_FORMAT', 'logFormat', 'text')]
const beside = (values: Values, all: readonly Row[]): Row[] => all.map(one => ({ ...one, beside: values }))
const account = { 'database.secretName': 'account' }
const mariadb = { ...account, 'database.host': 'db.example.com' }

export const rows: Readonly<Record<Component, readonly Row[]>> = {
	mgmt: [
		...log,
		...beside(mariadb, [row('MGMT_REPLICAS', 'mgmt.replicas', 2)]),
		row('MGMT_ADDR', 'mgmt.port', 9081, ':9081'),
		row('MGMT_NAMESPACE', 'mgmt.namespaces', ['b', 'a'], 'a,b'),
		row('POLL_FAST_INTERVAL', 'mgmt.poll.fastInterval', '7s'),
		row('POLL_FAST_WINDOW', 'mgmt.poll.fastWindow', '7m'),
		row('POLL_SLOW_INTERVAL', 'mgmt.poll.slowInterval', '1h'),
		row('POLL_ERROR_INTERVAL', 'mgmt.poll.errorInterval', '70s'),
		row('SECRET_ENDPOINT_HOSTS', 'mgmt.secretEndpointHosts', ['a.example.com', 'b.example.com:5000'], 'a.example.com,b.example.com:5000'),
		row('VIOLA_ALLOWED_PROVIDERS', 'mgmt.allowedProviders', { b: ['3'], a: ['1', '2'] }, 'a=1,2;b=3'),
		row('NODE_EXTRA_CA_CERTS', 'mgmt.ca.configMapName', 'trusted', '/etc/multinic/ca/ca.crt'),
		row('CONTRABASS_ENDPOINT', 'contrabass.endpoint', 'https://contrabass.example.com'),
		row('CONTRABASS_TIMEOUT', 'contrabass.timeout', '7s'),
		row('CONTRABASS_INSECURE_TLS', 'contrabass.insecureTLS', true),
		row('CONTRABASS_ENCRYPT_KEY', 'contrabass.encryptKey.secretName', 'aes', fromSecret('aes', 'CONTRABASS_ENCRYPT_KEY')),
		row('OPENSTACK_TIMEOUT', 'openstack.timeout', '7s'),
		row('OPENSTACK_INSECURE_TLS', 'openstack.insecureTLS', true),
		row('OPENSTACK_NEUTRON_ENDPOINT', 'openstack.neutronEndpoint', 'https://neutron.example.com:9696'),
		row('OPENSTACK_NOVA_ENDPOINT', 'openstack.novaEndpoint', 'https://nova.example.com:8774/v2.1'),
		row('OPENSTACK_ENDPOINT_INTERFACE', 'openstack.endpointInterface', 'internal'),
		row('OPENSTACK_ENDPOINT_REGION', 'openstack.endpointRegion', 'RegionOne'),
		row('VIOLA_ENDPOINT', 'viola.endpoint', 'https://viola.example.com'),
		row('VIOLA_TIMEOUT', 'viola.timeout', '7s'),
		row('VIOLA_INSECURE_TLS', 'viola.insecureTLS', true),
		...beside({ 'viola.token.key': 'own' }, [row('VIOLA_TOKEN_FILE', 'viola.token.secretName', 'shared', '/etc/multinic/viola-token/own')]),
		row('INVENTORY_ENABLED', 'inventory.enabled', false),
		row('INVENTORY_ADDR', 'inventory.port', 19081, ':19081'),
		row('INVENTORY_DB_PATH', 'inventory.dbPath', '/data/inventory.json'),
		row('SQLITE_TMPDIR', 'inventory.dbPath', '/data/inventory.db', '/data'),
		row('INVENTORY_KUBE_AUTH', 'inventory.kubernetesTokens', false),
		row('INVENTORY_TOKEN_FILE', 'inventory.token.secretName', 'shared', '/etc/multinic/inventory-token/token'),
		row('INVENTORY_AUTH', 'inventory.auth', 'none'),
		row('INVENTORY_CLIENTS', 'inventory.clients.secretName', 'readers', '/etc/multinic/inventory-clients/clients.yaml'),
		row('INVENTORY_TLS_DIR', 'inventory.tls.secretName', 'certificate', '/etc/multinic/inventory-tls'),
		...beside(account, [row('DB_HOST', 'database.host', 'other.example.com')]),
		...beside(mariadb, [
			row('DB_PORT', 'database.port', 30306),
			row('DB_NAME', 'database.name', 'inventory'),
			row('DB_USER', 'database.user', 'root'),
			row('DB_USER_FILE', 'database.userKey', 'login', '/etc/multinic/database/login'),
			row('DB_PASSWORD_FILE', 'database.passwordKey', 'secret', '/etc/multinic/database/secret'),
			row('DB_CA_FILE', 'database.ca.secretName', 'authority', '/etc/multinic/database-ca/ca.crt'),
		]),
	],
	viola: [
		...log,
		row('VIOLA_ADDR', 'viola.port', 9080, ':9080'),
		row('VIOLA_TOKEN_FILE', 'viola.token.secretName', 'shared', '/etc/multinic/viola-token/token'),
		row('VIOLA_KUBE_AUTH', 'viola.kubernetesTokens', false),
		...beside({ 'viola.targetSecrets': false }, [row('VIOLA_SECRETS_NAMESPACE', 'viola.targetSecrets', true, 'multinic-mgmt')]),
		row('VIOLA_AUTH', 'viola.auth', 'none'),
		row('VIOLA_CLIENTS', 'viola.clients.secretName', 'others', '/etc/multinic/clients/clients.yaml'),
		row('VIOLA_TLS_DIR', 'viola.tls.secretName', 'certificate', '/etc/multinic/tls'),
		row('VIOLA_CLUSTERS', 'viola.clusters.secretName', 'clusters', '/etc/multinic/clusters/clusters.yaml'),
	],
}

/** Variables without a value of their own: a secret is mounted as a file, and never a value. */
export const insteadOf: Readonly<Record<string, string>> = {
	VIOLA_TOKEN: 'VIOLA_TOKEN_FILE',
	INVENTORY_TOKEN: 'INVENTORY_TOKEN_FILE',
	DB_PASSWORD: 'DB_PASSWORD_FILE',
}

/** Variables that the chart sets from the pod and its namespace. */
export const ofPod = ['NAMESPACE', 'POD_NAME']

/** Variables for other ways to run mgmt: the chart always elects a leader, and its Role names the Lease. */
export const withoutValue = ['LEADER_ELECT', 'LEASE_NAME']

/** Variables that Node.js itself reads, and the SQLite in it. */
export const ofNode = ['NODE_EXTRA_CA_CERTS', 'SQLITE_TMPDIR']

function fromSecret(name: string, key: string): string {
	return JSON.stringify({ secretKeyRef: { name, key } })
}
