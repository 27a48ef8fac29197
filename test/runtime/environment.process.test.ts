import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** Starts every program with all its settings invalid: it must report all of them in one message, and exit with code 2. */

const secret = 's3cr3t\u0007'
const number = ['an hour', '-1', '1.5', '0x10', '9'.repeat(20)]
const bool = ['perhaps', 'yes', '2']
const duration = ['soon', '5', '-5m', '1d']
const url = ['no-url', 'ftp://contrabass', 'http://', '//contrabass']
const name = ['Upper', 'two words', '-dash', 'a/b']
const address = ['no-address', ':70000', 'a b:80']
const missing = ['/nowhere', '/proc/self/mem/x']

/** The variables that a program reads, each with invalid values; empty if any text is valid. */
type Variables = Readonly<Record<string, readonly string[]>>
type Program = { reads: string[]; variables: Variables }

/** Variables whose values appear in the error message: they name an expected file, a run, or the invalid entry of a list. */
const areTold = new Set(['KUBECONFIG', 'VIOLA_TOKEN_FILE', 'VIOLA_CLUSTERS', 'RUN', 'SECRET_ENDPOINT_HOSTS', 'VIOLA_ALLOWED_PROVIDERS'])

const log: Variables = { LOG_LEVEL: ['loud', '7'], LOG_FORMAT: ['xml'] }
const programs: Readonly<Record<string, Program>> = {
	controller: {
		reads: ['controller/config.ts', 'runtime/process.ts'],
		variables: {
			...log,
			NAMESPACE: [...name, 'a'.repeat(64)],
			AGENT_IMAGE: ['two words'],
			AGENT_IMAGE_PULL_POLICY: ['Often'],
			AGENT_IMAGE_PULL_SECRETS: ['fine,Upper', 'a b'],
			ALLOW_MAIN_TABLE_ROUTES: ['10.50.0.0', '0.0.0.0/1', '169.254.0.0/17', 'x'],
			ALLOW_DEFAULT_ROUTE: bool,
			PROTECTED_NETWORKS: ['10.96.0.0', 'x'],
			POD_NETWORKS: ['10.244.0.0', '0.0.0.0/0', '::/1', 'x'],
			AGENT_PRIVILEGED: bool,
			AGENT_SERVICE_ACCOUNT: name,
			AGENT_ROUTE_TABLE_BASE: [...number, '0', '244', '255', '4294967287'],
			AGENT_RULE_PRIORITY_BASE: [...number, '0', '10', '32757'],
			AGENT_RESOURCES: ['{', '[]', '{"limits":{"memory":"lots"}}'],
			AGENT_POD_LABELS: ['{', '{"multinic.io/generation":"1"}'],
			AGENT_POD_ANNOTATIONS: ['{', '{"a":1}'],
			AGENT_TOLERATIONS: ['{', '{}', '[{"kye":"a"}]'],
			AGENT_PRIORITY_CLASS: name,
			KEEP_RUN_SECONDS: number,
			ACTIVE_DEADLINE_SECONDS: [...number, '29', '3601'],
			WAIT_FOR_DEVICE_SECONDS: [...number, '61'],
			COMMIT_TIMEOUT_SECONDS: [...number, '9', '601'],
			MAX_CONCURRENT_RUNS: [...number, '0', '10001'],
			CHECK_INSTANCE_ID: bool,
			WORKERS: [...number, '0', '65'],
			METRICS_ADDR: address,
			LEADER_ELECT: bool,
			LEASE_NAME: name,
			POD_NAME: [],
			KUBECONFIG: missing,
		},
	},
	'controller/uninstall': {
		reads: ['controller/uninstall/main.ts', 'runtime/process.ts'],
		variables: {
			...log,
			...{ NAMESPACE: name, ON_UNINSTALL: ['Forget'], CONTROLLER: name, JOB: name, POLL_MS: [...number, '9'], KUBECONFIG: missing },
			...{ RELEASE_NAME: [...name, 'a'.repeat(54)], RELEASE_REVISION: [...number, '0'] },
		},
	},
	viola: {
		reads: ['viola/config.ts', 'runtime/process.ts'],
		variables: {
			...log,
			VIOLA_ADDR: address,
			VIOLA_TOKEN: [secret],
			VIOLA_TOKEN_FILE: missing,
			VIOLA_CLUSTERS: [...missing, 'package.json'],
		},
	},
	mgmt: {
		reads: ['mgmt/config.ts', 'mgmt/inventory/settings.ts', 'runtime/process.ts'],
		variables: {
			...log,
			CONTRABASS_ENDPOINT: url,
			CONTRABASS_ENCRYPT_KEY: [],
			CONTRABASS_TIMEOUT: duration,
			CONTRABASS_INSECURE_TLS: bool,
			OPENSTACK_TIMEOUT: duration,
			OPENSTACK_INSECURE_TLS: bool,
			OPENSTACK_NEUTRON_ENDPOINT: url,
			OPENSTACK_NOVA_ENDPOINT: url,
			OPENSTACK_ENDPOINT_INTERFACE: ['private'],
			OPENSTACK_ENDPOINT_REGION: [],
			VIOLA_ENDPOINT: url,
			VIOLA_TIMEOUT: duration,
			VIOLA_INSECURE_TLS: bool,
			VIOLA_TOKEN: [secret],
			VIOLA_TOKEN_FILE: missing,
			VIOLA_ALLOWED_PROVIDERS: ['biz-1', 'Team=biz-1', 'team-a=biz-1;team-a=biz-2', 'team-a=', 'team-a=b\u0007z'],
			SECRET_ENDPOINT_HOSTS: ['https://viola', '*.example.com', 'viola:0', 'viola/v1', 'fd00::1', '[fd00::1', 'me:s3cr3t@viola'],
			POLL_FAST_INTERVAL: duration,
			POLL_SLOW_INTERVAL: duration,
			POLL_ERROR_INTERVAL: duration,
			POLL_FAST_WINDOW: duration,
			MGMT_NAMESPACE: name,
			MGMT_REPLICAS: ['0', '10', '1.5', 'two'],
			NAMESPACE: name,
			LEADER_ELECT: bool,
			LEASE_NAME: name,
			POD_NAME: ['p'.repeat(254)],
			INVENTORY_ENABLED: bool,
			INVENTORY_DB_PATH: [],
			DB_HOST: ['h'.repeat(254)],
			DB_PORT: [...number, '0', '65536'],
			DB_USER: ['u'.repeat(129)],
			DB_USER_FILE: [],
			DB_PASSWORD: [],
			DB_PASSWORD_FILE: [],
			DB_NAME: ['n'.repeat(65)],
			DB_CA_FILE: [],
			MGMT_ADDR: address,
			KUBECONFIG: missing,
		},
	},
	agent: {
		reads: ['agent/config.ts'],
		variables: {
			AGENT_CONFIG: [],
			HOST_ROOT: ['host', '../host'],
			REPORT_FILE: [],
			TERMINATION_LOG: [],
			LOG_FORMAT: ['xml'],
			RUN: ['{}', 'not JSON', '[]', '{"nodeName":"UPPER"}'],
			KUBERNETES_SERVICE_HOST: [],
			KUBERNETES_SERVICE_PORT: ['port', '0', '65536', '1.5'],
			SERVICE_ACCOUNT: [],
		},
	},
}

describe.each(Object.entries(programs))('%s', (program, { reads, variables }) => {
	test('reads no variable that is not tested here', () => {
		const read = reads.flatMap(file => [...readFileSync(file, 'utf8').matchAll(/^\t+([A-Z][A-Z_]+): /gm)].map(([, name]) => name))
		expect(Object.keys(variables).filter(name => name !== 'KUBECONFIG')).toEqual(expect.arrayContaining(read))
		expect(read.length).toBe(Object.keys(variables).length - (variables.KUBECONFIG ? 1 : 0))
	})

	test.each(rounds(variables))('reports every variable when all are invalid, round %i', (_, env) => {
		const { status, said } = start(program, env)
		expect(status).toBe(2)
		for (const name of Object.keys(env)) expect(said).toMatch(new RegExp(`\\b${name}\\b`, name === 'KUBECONFIG' ? 'i' : ''))
		for (const [name, value] of Object.entries(env)) if (!areTold.has(name) && value.length > 4) expect(said).not.toContain(value)
		expect(said).not.toMatch(/\n *at |\\n *at |"stack"|s3cr3t/)
		expect(said.trim().split('\n')).toHaveLength(1)
	})
})

test.each([
	['controller', ['NAMESPACE', 'AGENT_IMAGE', 'kubeconfig /nowhere/.kube/config']],
	[
		'controller/uninstall',
		['NAMESPACE', 'ON_UNINSTALL', 'CONTROLLER', 'JOB', 'RELEASE_NAME', 'RELEASE_REVISION', 'kubeconfig /nowhere/.kube/config'],
	],
	['viola', ['VIOLA_CLUSTERS', 'VIOLA_TOKEN or VIOLA_TOKEN_FILE']],
	['mgmt', ['kubeconfig /nowhere/.kube/config']],
	['agent', ['set REPORT_FILE, or run in a pod']],
])('%s reports everything it needs when no variable is set', (program, needs) => {
	const { status, said } = start(program, {})
	expect(status).toBe(2)
	for (const need of needs) expect(said).toContain(need)
})

test.each(['controller', 'mgmt'])('%s rejects an API server address that cannot exist', program => {
	const { status, said } = start(program, { KUBERNETES_SERVICE_HOST: 'two words', KUBERNETES_SERVICE_PORT: 'port' })
	expect([status, said]).toEqual([2, expect.stringContaining('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: must be')])
})

/** Returns one round for each invalid value of the variable that has the most. Each round uses the next invalid value of every variable. */
function rounds(variables: Variables): [number, Record<string, string>][] {
	const wrong = Object.entries(variables).filter(([, values]) => values.length > 0)
	const most = Math.max(...wrong.map(([, values]) => values.length))
	const pick = (round: number) => Object.fromEntries(wrong.map(([name, values]) => [name, values[round % values.length] ?? '']))
	return Array.from({ length: most }, (_, round) => [round + 1, pick(round)])
}

function start(program: string, env: Record<string, string>): { status: number | null; said: string } {
	const surroundings = { HOME: '/nowhere', ...(program === 'agent' && { TERMINATION_LOG: '/dev/null' }) }
	const { status, stdout, stderr } = spawnSync(process.execPath, [`${program}/main.ts`], {
		env: { ...surroundings, ...env },
		encoding: 'utf8',
	})
	return { status, said: stdout + stderr }
}
