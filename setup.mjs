// Installs node_modules as the lockfile lists them, before npm runs anything else. This is plain JavaScript that imports only `node:`
// modules, so that a Node 20 with npm can run it. Everything after it runs on the Node 24 that it installs.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

const root = dirname(fileURLToPath(import.meta.url))
const stamp = join(root, 'node_modules', '.multinic-lock-hash')
const lock = join(root, '.setup.lock')
const patienceMs = 15 * 60_000

const wanted = createHash('sha256')
	.update(readFileSync(join(root, 'package-lock.json')))
	.digest('hex')
if (!isInstalled()) await underLock(install)
assertNode()

function isInstalled() {
	return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
}

/** The lock is a directory, because mkdir is atomic. If its owner has died, another process takes it over. */
async function underLock(work) {
	const deadline = Date.now() + patienceMs
	while (!take()) {
		if (Date.now() > deadline) fail(`another set-up has held ${lock} for 15 minutes: remove it if no npm is running`)
		await sleep(200)
	}
	try {
		if (!isInstalled()) work()
	} finally {
		rmSync(lock, { recursive: true, force: true })
	}
}

function take() {
	try {
		mkdirSync(lock)
		writeFileSync(join(lock, 'pid'), String(process.pid))
		return true
	} catch (error) {
		if (error.code !== 'EEXIST') fail(`cannot write ${lock}: ${error.message}`)
		if (ownerIsGone()) rmSync(lock, { recursive: true, force: true })
		return false
	}
}

function ownerIsGone() {
	try {
		process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0)
		return false
	} catch (error) {
		return error.code === 'ESRCH' || (error.code === 'ENOENT' && isOld())
	}
}

function isOld() {
	return existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 10_000
}

function install() {
	process.stderr.write('setup: installing dependencies as the lockfile lists them (about 20 s the first time)\n')
	// npm warns about the Node version that it runs on itself, but the installed packages run on a different one.
	const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
	const { status, error } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] })
	if (status !== 0) fail(`npm ${args.join(' ')} ended with ${error?.message ?? `exit code ${status}`}; its own words are above`)
	writeFileSync(stamp, wanted)
}

function assertNode() {
	if (process.platform !== 'linux') return assertOwnNode()
	const node = join(root, 'node_modules', '.bin', 'node')
	const { stdout, error } = spawnSync(node, ['--version'], { encoding: 'utf8' })
	if (error || !stdout.startsWith('v24.')) {
		fail(`${node} is ${error ? `not usable (${error.message})` : stdout.trim()}, but Node 24 is needed: remove node_modules and try again`)
	}
}

/**
 * There is no Node package for this platform, so the user's own Node runs the sources. 22.18 is the first version that strips types by
 * default.
 */
function assertOwnNode() {
	const [major, minor] = process.versions.node.split('.').map(Number)
	if (major > 22 || (major === 22 && minor >= 18)) return
	fail(`on ${process.platform} your own Node runs MultiNIC and must be 22.18 or newer; this is ${process.version}`)
}

function fail(message) {
	process.stderr.write(`setup: ${message}\n`)
	process.exit(1)
}
