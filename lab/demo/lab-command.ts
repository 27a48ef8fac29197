import { connect } from 'node:net'
import { Command } from 'commander'
import pc from 'picocolors'
import { sendCommand, type Request } from './control-socket.ts'

/** The command `lab` of a running lab. `startControlSocket` writes the script that runs this file with the socket as its first argument. */
const [socket = '', ...args] = process.argv.slice(2)
const command = new Command('lab')
	.description('Runs a command in the running lab and shows its progress until it is done.')
	.enablePositionalOptions()

command
	.command('attach <node>')
	.description("attach a port of the data network to the node's VM")
	.action(node => send({ action: 'attach', node, what: '' }))
command
	.command('detach <node> <nic>')
	.description('detach the port of a NIC, given its name or MAC')
	.action((node, nic) => send({ action: 'detach', node, what: nic }))
command
	.command('reboot <node>')
	.description('reboot the node and check its NICs')
	.action(node => send({ action: 'reboot', node, what: '' }))
command
	.command('run <node> <command...>')
	.description('run a shell command on the node, as root')
	.action((node, words: string[]) => send({ action: 'run', node, what: words.join(' ') }))
	.passThroughOptions()

await command.parseAsync(args, { from: 'user' })

async function send(request: Request): Promise<void> {
	try {
		await sendCommand(connect(socket), request, line => process.stdout.write(`${line}\n`))
	} catch (error) {
		process.stderr.write(`${pc.red(error instanceof Error ? error.message : String(error))}\n`)
		process.exitCode = 1
	}
}
