import { expect, test } from 'vitest'
import { withNamespace } from '../../../cli/model/program-name.ts'

test.each([
	['a command', 'Resume with: kubectl multinic resume', 'Resume with: kubectl multinic -n nics resume'],
	['a command with nodes', 'kubectl multinic pause a b', 'kubectl multinic -n nics pause a b'],
	[
		'two commands',
		'kubectl multinic get a; kubectl multinic logs a -f',
		'kubectl multinic -n nics get a; kubectl multinic -n nics logs a -f',
	],
	['a command with a namespace', 'list them with: kubectl multinic get -n other', 'list them with: kubectl multinic get -n other'],
	[
		'two commands, one with a namespace',
		'kubectl multinic get a -n other; kubectl multinic resume',
		'kubectl multinic get a -n other; kubectl multinic -n nics resume',
	],
	[
		'a node with dots, with a namespace',
		'kubectl multinic get worker-1.example.com -n other',
		'kubectl multinic get worker-1.example.com -n other',
	],
	['a command before a sentence about -n', 'kubectl multinic resume. Use -n other', 'kubectl multinic -n nics resume. Use -n other'],
	['another program', 'kubectl get pods', 'kubectl get pods'],
	['only the program name', 'kubectl multinic', 'kubectl multinic'],
])('%s', (_, text, completed) => {
	expect(withNamespace(text, 'nics')).toBe(completed)
	expect(withNamespace(text, undefined)).toBe(text)
})
