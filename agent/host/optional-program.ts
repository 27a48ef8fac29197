import { codeOf } from '../../runtime/errors.ts'
import { isFailure } from '../model/failure.ts'
import { type Answer, exec } from './exec.ts'

/**
 * Runs a program that may be missing from the agent's image.
 *
 * @returns what `exec` returns, or undefined if the program is not installed
 * @throws Failure COMMAND_FAILED as `exec` does
 */
export async function ifInstalled(program: string, args: readonly string[]): Promise<Answer | undefined> {
	try {
		return await exec(program, args)
	} catch (error) {
		if (isFailure(error) && codeOf(error.cause) === 'ENOENT') return undefined
		throw error
	}
}
