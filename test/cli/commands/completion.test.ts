import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionScript, shells } from '../../../cli/render/scripts.ts'
import { clusterOf, startStage } from '../cluster.ts'
import { command, configured, failed } from '../fixtures.ts'

/** Tests shell completion. */

async function completed(...words: string[]): Promise<string[]> {
	const stage = await startStage()
	stage.put('worker-1', configured)
	stage.put('worker-2', failed)
	const { code, out, err } = await command(['__complete', ...words], { cluster: clusterOf(stage.server.credentials) })
	expect({ code, err }).toEqual({ code: 0, err: '' })
	return out.trimEnd().split('\n')
}

test.each<[words: string[], choices: string[]]>([
	[['re'], ['retry', 'resume', ':4']],
	[
		['get', '-o', ''],
		['json', 'yaml', 'wide', ':4'],
	],
	[
		['get', '--output=w'],
		['--output=wide', ':4'],
	],
	[
		['history', '-o', ''],
		['json', 'yaml', ':4'],
	],
	[
		['get', '--wa'],
		['--watch', ':4'],
	],
	[['--kub'], ['--kubeconfig', ':4']],
	[['get', '--kubeconfig', ''], [':0']],
	[['support-bundle', '-o', ''], [':0']],
	[
		['completion', ''],
		['bash', 'zsh', 'fish', ':4'],
	],
	[
		['get', ''],
		['worker-1', 'worker-2', ':4'],
	],
	[
		['retry', 'worker-1', ''],
		['worker-2', ':4'],
	],
	[
		['-n', 'multinic-system', 'diff', 'worker-2'],
		['worker-2', ':4'],
	],
	[['diff', 'worker-1', ''], [':4']],
	[['support-bundle', ''], [':4']],
	[
		['nonsense', ''],
		['get', 'diff', 'plan', 'retry', 'pause', 'resume', 'history', 'logs', 'support-bundle', 'completion', ':4'],
	],
])('%j', async (words, choices) => {
	expect((await completed(...words)).map(line => line.split('\t')[0])).toEqual(choices)
})

test('a node is completed with its state', async () => {
	expect(await completed('get', 'worker-2')).toEqual(['worker-2\tFailed (PartlyFailed)', ':4'])
})

test('completion returns no names and prints no error if the server is unreachable', async () => {
	const stage = await startStage()
	await stage.server.down()
	expect(await command(['__complete', 'get', ''], { cluster: clusterOf(stage.server.credentials) })).toEqual({
		code: 0,
		out: ':4\n',
		err: '',
	})
	await stage.server.up()
})

test.each(shells)('the completion command prints the script for %s', async shell => {
	expect(await command(`completion ${shell}`)).toEqual({ code: 0, out: completionScript(shell), err: '' })
})

test('bash loads the script and completes with it', () => {
	const fake = `kubectl-multinic() { printf '%s\\n' "get	How far" "$*" :4; }`
	// biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's
	const press = 'COMP_WORDS=(kubectl-multinic re ""); COMP_CWORD=2; _kubectl_multinic; printf "%s\\n" "${COMPREPLY[@]}"'
	const { stdout, stderr, status } = spawnSync('bash', ['-c', `${completionScript('bash')}\n${fake}\n${press}`], { encoding: 'utf8' })
	expect({ stdout, stderr, status }).toEqual({ stdout: 'get\n__complete re \n', stderr: '', status: 0 })
})
