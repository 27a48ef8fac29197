import { expect, test } from 'vitest'
import { readConfig } from '../../controller/config.ts'
import { isFailure } from '../../runtime/errors.ts'

const least = { NAMESPACE: 'multinic-system', AGENT_IMAGE: 'registry/agent:1' }

test('what is not said has a default', () => {
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

test('every value that a chart may give is taken', () => {
	const all = {
		AGENT_IMAGE_PULL_SECRETS: 'a, b',
		KEEP_RUN_SECONDS: '60',
		MAX_CONCURRENT_RUNS: '7',
		METRICS_ADDR: '[::1]:9090',
		AGENT_PRIVILEGED: 'false',
		LEADER_ELECT: 'false',
	}
	expect(readConfig({ ...least, ...all })).toMatchObject({
		agent: { imagePullSecrets: ['a', 'b'], privileged: false },
		runs: { keepRunMs: 60_000, maxConcurrentRuns: 7 },
		listen: { host: '::1', port: 9090 },
		leaderElect: false,
	})
})

test('all faults are told at once, each by its variable', () => {
	const faults = readFaults({
		KEEP_RUN_SECONDS: 'an hour',
		MAX_CONCURRENT_RUNS: '0',
		METRICS_ADDR: 'nowhere',
		AGENT_IMAGE_PULL_POLICY: 'Often',
	})
	const named = ['NAMESPACE', 'AGENT_IMAGE', 'AGENT_IMAGE_PULL_POLICY', 'KEEP_RUN_SECONDS', 'MAX_CONCURRENT_RUNS', 'METRICS_ADDR']
	expect(faults.map(fault => fault.split(/[: ]/)[0])).toEqual(named)
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
