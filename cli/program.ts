import { Argument, Command, CommanderError } from 'commander'
import about from '../package.json' with { type: 'json' }
import { isFailure } from '../runtime/errors.ts'
import { commands } from './commands/index.ts'
import { complete } from './commands/complete.ts'
import { nodeArgument, nodesArgument, parseName } from './commands/options.ts'
import { withNamespace } from './model/program-name.ts'
import { sentenceOf } from './render/failure.ts'
import { isFormat } from './render/output.ts'
import { completionScript, type Shell, shells } from './render/scripts.ts'
import { type CommandSpec, type Session, sessionOf } from './read/session.ts'
import { type ConnectFlags, exitCodes, type CliIo } from './model/io.ts'

/**
 * Runs the whole program, without accessing the process.
 *
 * @param args the words after `kubectl multinic`
 * @returns the exit code; any error has been reported in one sentence on standard error
 */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
	let code: number = exitCodes.ok
	const program = createProgram(io, ended => {
		code = ended
	})
	try {
		if (args[0] === '__complete') return await complete(program, args.slice(1), io)
		await program.parseAsync(args, { from: 'user' })
		return code
	} catch (error) {
		return explained(error, io, program.opts<Flags>().namespace)
	}
}

type Flags = ConnectFlags & { output?: string }

/** Creates the commands with their flags. */
export function createProgram(io: CliIo, onEnd: (code: number) => void): Command {
	const program = new Command('kubectl multinic')
		.description('Inspect and control MultiNIC on the nodes of this cluster.')
		.version(about.version, '--version', 'print the version of this plugin')
		.option('-n, --namespace <name>', 'namespace of MultiNIC (default: $MULTINIC_NAMESPACE, otherwise multinic-system)', parseName)
		.option('--kubeconfig <file>', 'path to the kubeconfig file (default: $KUBECONFIG, otherwise ~/.kube/config)')
		.option('--context <name>', 'kubeconfig context to use (default: the current context)')
		.helpOption('-h, --help', 'show help')
		.configureHelp({ showGlobalOptions: true })
		.exitOverride()
		.configureOutput(outputTo(io))
		.addHelpText('after', '\nExit codes: 0 success, 1 not in the desired state or failed, 2 usage error.')
	for (const spec of commands) addCommand(program, spec, io, onEnd)
	program
		.command('completion')
		.description('Print a shell completion script for kubectl-multinic')
		.addArgument(new Argument('<shell>', 'name of the shell').choices(shells))
		.action((shell: Shell) => io.out.write(completionScript(shell)))
	return program
}

function addCommand(program: Command, spec: CommandSpec<object>, io: CliIo, onEnd: (code: number) => void): void {
	const command = program.command(spec.name).description(spec.about).addHelpText('after', `\n${spec.more}`)
	if (spec.nodes !== 'none') command.addArgument(spec.nodes === 'one' ? nodeArgument() : nodesArgument())
	for (const option of spec.options) command.addOption(option)
	command.action(async (given: unknown) => {
		const nodes = [given].flat().filter(node => typeof node === 'string')
		const flags = command.optsWithGlobals<Flags>()
		onEnd(await inCluster(io, flags, session => spec.act(session, [...new Set(nodes)], flags)))
	})
}

async function inCluster(io: CliIo, flags: Flags, act: (session: Session) => Promise<number>): Promise<number> {
	const cluster = await io.connect(flags)
	try {
		return await act(sessionOf(io, cluster, text => (isFormat(flags.output) ? text : withNamespace(text, flags.namespace))))
	} finally {
		await cluster.close()
	}
}

/** Reports an error and returns the exit code. An unexpected error is a bug; MULTINIC_DEBUG prints its stack trace. */
function explained(error: unknown, { err, env, signal }: CliIo, namespace: string | undefined): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
	if (signal.aborted) return exitCodes.interrupted
	err.write(`error: ${withNamespace(sentenceOf(error), namespace)}\n`)
	if (isFailure(error)) return isFailure(error, 'CONFIG_INVALID', 'USAGE') ? exitCodes.usage : exitCodes.notAsWanted
	err.write(
		env.MULTINIC_DEBUG
			? `${error instanceof Error ? error.stack : ''}\n`
			: 'This is a bug. Set MULTINIC_DEBUG=1 to print the stack trace.\n',
	)
	return exitCodes.notAsWanted
}

function outputTo({ out, err }: CliIo) {
	return {
		writeOut: (text: string) => out.write(text),
		writeErr: (text: string) => err.write(text),
		getOutHelpWidth: () => out.size().columns,
		getErrHelpWidth: () => err.size().columns,
		getOutHasColors: () => false,
		getErrHasColors: () => false,
	}
}
