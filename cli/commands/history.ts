import { readNode } from '../read/fleet.ts'
import { historyTable } from '../render/history.ts'
import { formatted, isFormat } from '../render/output.ts'
import type { CommandSpec } from '../read/session.ts'
import { configView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { outputOption } from './options.ts'

export const history: CommandSpec<{ output?: 'json' | 'yaml' }> = {
	name: 'history',
	nodes: 'one',
	about: 'List the most recent runs on a node, newest first',
	options: [outputOption('json', 'yaml')],
	more: 'The status keeps the last five runs. CAUSE is why the run started, or why it failed.',
	async act(session, [node = ''], { output }) {
		const { status } = configView(await readNode(session, node))
		const entries = status.history ?? []
		if (isFormat(output)) session.print([formatted(entries, output)])
		else if (entries.length === 0) session.print([`no run has finished on ${node} yet`])
		else session.print(historyTable(entries, session.io.now(), session.colours))
		return exitCodes.ok
	},
}
