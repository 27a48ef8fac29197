import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import { step } from '../base/progress.ts'
import type { Lab } from '../setup/start-lab.ts'

/** A chart to install in the biz cluster. */
export interface Release {
	/** Name of the release, and of the chart's directory in `charts/`. */
	name: 'multinic' | 'multinic-mgmt'
	namespace: string
	values: object
	/** The deployment whose log is shown if the installation fails. */
	deployment: string
	/** Additional arguments for helm. */
	more?: readonly string[]
}

/** Installs a chart and waits until its deployments are available. If that fails, throws an error that shows the pods and a log. */
export async function helmInstall({ bin, biz }: Lab, { name, namespace, values, deployment, more = [] }: Release): Promise<void> {
	const env = { KUBECONFIG: biz.kubeconfig }
	const chart = join(import.meta.dirname, '../../charts', name)
	const args = ['install', name, chart, '--namespace', namespace, '--wait', '--timeout', '3m', '--values', '-', ...more]
	const helm = () => execa(join(bin, 'helm'), args, { env, input: stringify(values) })
	await step(`helm install ${name}`, helm).catch(async error => {
		const look = (...args: string[]) => execa(join(bin, 'kubectl'), ['-n', namespace, ...args], { env, reject: false, all: true })
		const seen = [await look('get', 'pods'), await look('logs', `deploy/${deployment}`, '--tail=5')]
		throw new Error([error.stderr, ...seen.map(({ all }) => all)].join('\n'), { cause: error })
	})
}
