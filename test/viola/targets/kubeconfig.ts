import { stringify } from 'yaml'

/** Returns a kubeconfig with one user, as YAML. */
export function kubeconfigOf(user: object, cluster: object = {}): string {
	return stringify({
		clusters: [{ name: 'c', cluster: { server: 'https://biz:6443', ...cluster } }],
		users: [{ name: 'u', user }],
		contexts: [
			{ name: 'x', context: { cluster: 'c', user: 'u' } },
			{ name: 'other', context: { cluster: 'c', user: 'u', namespace: 'inside' } },
		],
		'current-context': 'x',
	})
}

export function base64(text: string): string {
	return Buffer.from(text).toString('base64')
}
