import { expect, test } from 'vitest'
import { readConfig } from '../../controller/config.ts'
import { isFailure } from '../../runtime/errors.ts'

const least = { NAMESPACE: 'multinic-system', AGENT_IMAGE: 'registry/agent:1' }

test('unset settings have defaults', () => {
	expect(readConfig(least)).toMatchObject({
		...{ namespace: 'multinic-system', leaderElect: true, listen: { host: '', port: 8080 } },
		agent: {
			image: 'registry/agent:1',
			imagePullPolicy: 'IfNotPresent',
			activeDeadlineSeconds: 300,
			waitForDeviceSeconds: 5,
			imagePullSecrets: [],
			privileged: true,
		},
		runs: { keepRunMs: 3_600_000 },
	})
})

test('reads every value that the chart can set', () => {
	const all = {
		AGENT_IMAGE_PULL_SECRETS: 'a, b',
		KEEP_RUN_SECONDS: '60',
		MAX_CONCURRENT_RUNS: '7',
		METRICS_ADDR: '[::1]:9090',
		AGENT_PRIVILEGED: 'false',
		AGENT_RESOURCES: '{"limits":{"cpu":1,"memory":"1Gi"}}',
		AGENT_POD_LABELS: '{"example.org/team":"network"}',
		AGENT_POD_ANNOTATIONS: '{"price":"\\u0024(HOME)"}',
		AGENT_TOLERATIONS: '[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":9}]',
		AGENT_PRIORITY_CLASS: 'system-node-critical',
		LEADER_ELECT: 'false',
	}
	expect(readConfig({ ...least, ...all })).toMatchObject({
		agent: {
			imagePullSecrets: ['a', 'b'],
			privileged: false,
			pod: {
				resources: { limits: { cpu: '1', memory: '1Gi' } },
				labels: { 'example.org/team': 'network' },
				annotations: { price: '$(HOME)' },
				tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 9 }],
				priorityClassName: 'system-node-critical',
			},
		},
		runs: { keepRunMs: 60_000, maxConcurrentRuns: 7 },
		listen: { host: '::1', port: 9090 },
		leaderElect: false,
	})
})

test('reports all errors together, each with the name of its variable', () => {
	const faults = readFaults({
		KEEP_RUN_SECONDS: 'an hour',
		MAX_CONCURRENT_RUNS: '0',
		METRICS_ADDR: 'nowhere',
		AGENT_IMAGE_PULL_POLICY: 'Often',
	})
	const named = ['NAMESPACE', 'AGENT_IMAGE', 'AGENT_IMAGE_PULL_POLICY', 'KEEP_RUN_SECONDS', 'MAX_CONCURRENT_RUNS', 'METRICS_ADDR']
	expect(faults.map(fault => fault.split(/[: ]/)[0])).toEqual(named)
})

test.each<[title: string, env: Record<string, string>, said: RegExp]>([
	['a value that is not JSON', { AGENT_POD_LABELS: '{a' }, /^AGENT_POD_LABELS: must be JSON$/],
	[
		'a label by which MultiNIC finds runs',
		{ AGENT_POD_LABELS: '{"multinic.io/node-name":"a"}' },
		/^AGENT_POD_LABELS.*set by MultiNIC or Kubernetes/,
	],
	[
		'the label with the name of the application',
		{ AGENT_POD_LABELS: '{"app.kubernetes.io/name":"a"}' },
		/^AGENT_POD_LABELS.*set by MultiNIC or Kubernetes/,
	],
	['a label of Jobs', { AGENT_POD_LABELS: '{"batch.kubernetes.io/job-name":"a"}' }, /^AGENT_POD_LABELS.*set by MultiNIC or Kubernetes/],
	['a label with a space', { AGENT_POD_LABELS: '{"a":"b c"}' }, /^AGENT_POD_LABELS.*must be the value of a label/],
	['an annotation that is a number', { AGENT_POD_ANNOTATIONS: '{"a":1}' }, /^AGENT_POD_ANNOTATIONS/],
	['a resource claim', { AGENT_RESOURCES: '{"claims":[{"name":"a"}]}' }, /^AGENT_RESOURCES/],
	['an invalid quantity', { AGENT_RESOURCES: '{"limits":{"memory":"lots"}}' }, /^AGENT_RESOURCES.*must be a quantity/],
	['a toleration outside a list', { AGENT_TOLERATIONS: '{"operator":"Exists"}' }, /^AGENT_TOLERATIONS/],
	['a misspelled field of a toleration', { AGENT_TOLERATIONS: '[{"kye":"a"}]' }, /^AGENT_TOLERATIONS/],
	['a priority class with a capital letter', { AGENT_PRIORITY_CLASS: 'High' }, /^AGENT_PRIORITY_CLASS/],
])('%s is rejected for the pods of runs', (_, env, said) => {
	expect(readFaults({ ...least, ...env })).toEqual([expect.stringMatching(said)])
})

function readFaults(env: Record<string, string>): string[] {
	try {
		readConfig(env)
	} catch (error) {
		if (isFailure(error, 'CONFIG_INVALID')) return error.message.split('\n')
		throw error
	}
	return []
}
