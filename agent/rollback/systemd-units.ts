import { groupSteps, type SingleStep, type StepGroup } from '../ip/batches.ts'
import type { Device } from '../ip/device-word.ts'
import type { Change, Notice, UndoStep } from '../model/change.ts'
import type { FileState } from '../model/host-state.ts'
import { COMMITTED_FOLDER, settingPath, UNDO_FOLDER, UNDOING_FOLDER } from '../model/paths.ts'

/** Absolute paths of the programs that a rollback runs on the host, without Node.js; optional programs only if the host has them. */
export type Programs = {
	ip: string
	cp: string
	mv: string
	rm: string
	sleep: string
	udevadm?: string
	nmcli?: string
	restorecon?: string
}

export type RollbackFiles = {
	/** Files below UNDO_FOLDER that the rollback reads. */
	files: Record<string, FileState>
	/** Units for the current boot: a timer that fires unless the run commits, and the service that the timer starts. */
	live: Record<string, FileState>
	/** The unit for the next boot. */
	boot: Record<string, FileState>
	timer: string
	/** The symlink that enables the boot unit, and its target. */
	enabled: { path: string; target: string }
}

export type Rollback = {
	undo: readonly UndoStep[]
	programs: Programs
	/** Tag of this run. It is part of the unit names, so that systemd never uses an older unit that it still has in memory. */
	tag: string
	/** /proc/sys/kernel/random/boot_id, which shows the next run whether the ifindexes in the undo are from an earlier boot. */
	bootId: string
	commitTimeoutSeconds: number
	/** The current MADE_AT_BOOT files: the next boot generates them from MultiNIC's files before its rollback removes those. */
	madeAtBoot?: Readonly<Record<string, FileState | undefined>>
	/** How the host's `ip` identifies a link. */
	device?: Device
	/** Whether STATE_FOLDER is on the root file system, so that the rollback can run before udev names links. */
	onRoot: boolean
}

export const UNDO_JSON = `${UNDO_FOLDER}/undo.json`
/** The same file while the host rolls back. */
export const UNDOING_JSON = `${UNDOING_FOLDER}/undo.json`
const BOOT_UNIT = 'multinic-undo.service'

/**
 * Returns the rollback of a run as systemd units that need neither Node.js nor a shell. The rollback works after any number of steps of the
 * run.
 */
export function rollbackFiles({
	undo,
	programs,
	tag,
	bootId,
	commitTimeoutSeconds,
	onRoot,
	madeAtBoot = {},
	device,
}: Rollback): RollbackFiles {
	const undoCommands = groupSteps(undo, device).map((part, at) => commandFor(part, at, programs))
	const bootCommands = Object.entries(madeAtBoot).map(([path, file], at) =>
		commandForGenerated(path, file, { saved: `boot-${at}`, programs }),
	)
	const files = Object.assign(
		{ [UNDO_JSON]: privateFile(JSON.stringify({ version: 1, tag, bootId, steps: undo })) },
		...[...undoCommands, ...bootCommands].map(part => part.files),
	)
	const fileCommands = [...undoCommands, ...bootCommands].filter(({ onBoot }) => onBoot).flatMap(({ commands }) => commands)
	const unit = `multinic-undo-${tag}`
	const livePaths = { service: `/run/systemd/system/${unit}.service`, timer: `/run/systemd/system/${unit}.timer` }
	const bootPath = `/etc/systemd/system/${BOOT_UNIT}`
	const enabled = { path: `/etc/systemd/system/sysinit.target.wants/${BOOT_UNIT}`, target: bootPath }
	const startRollback = `${programs.mv} -T ${UNDO_FOLDER} ${UNDOING_FOLDER}`
	const end = `-${programs.rm} -rf ${[UNDOING_FOLDER, COMMITTED_FOLDER, enabled.path, bootPath, livePaths.timer, livePaths.service].join(' ')}`
	return {
		files,
		timer: `${unit}.timer`,
		live: {
			[livePaths.service]: service(
				'Roll back an unfinished MultiNIC run',
				[`ConditionPathExists=${UNDO_JSON}`],
				[startRollback, ...undoCommands.flatMap(({ commands }) => commands).map(ignoringFailure), end],
			),
			[livePaths.timer]: publicFile(
				`[Unit]\nDescription=Commit timeout of MultiNIC run ${tag}\n\n[Timer]\nOnActiveSec=${commitTimeoutSeconds}s\nAccuracySec=1s\nUnit=${unit}.service\n`,
			),
		},
		boot: {
			[bootPath]: service('Restore files changed by an unfinished MultiNIC run', bootConditions(onRoot), [
				ignoringFailure(startRollback),
				...fileCommands.map(ignoringFailure),
				end,
			]),
		},
		enabled,
	}
}

/** The boot unit runs after STATE_FOLDER is mounted, and before any program configures a link. */
function bootConditions(onRoot: boolean): string[] {
	// udevd caches files for some seconds, so it must not have read files that netplan generated from MultiNIC's files early in this boot.
	const udev = onRoot ? ' systemd-udevd.service systemd-udev-trigger.service' : ''
	return [
		// Either file is enough: the power may have failed during the rollback.
		`ConditionPathExists=|${UNDO_JSON}`,
		`ConditionPathExists=|${UNDOING_JSON}`,
		'DefaultDependencies=no',
		`RequiresMountsFor=${UNDO_FOLDER}`,
		'After=systemd-remount-fs.service',
		'Wants=network-pre.target',
		`Before=network-pre.target systemd-networkd.service NetworkManager.service${udev}`,
	]
}

/** `onBoot`: the commands also run at the next boot, because they restore files. */
type RollbackCommand = { files: Record<string, FileState>; commands: string[]; onBoot: boolean }

function commandFor(group: StepGroup, at: number, programs: Programs): RollbackCommand {
	const saved = String(at).padStart(3, '0')
	if ('writes' in group) return commandForFiles(group.writes, saved, programs)
	if ('single' in group) return commandForSingle(group.single, programs)
	if ('checks' in group) return { files: {}, commands: [], onBoot: false }
	const six = group.batch[0]?.spelled.family === 6 ? ' -6' : ''
	const content = group.batch.map(({ spelled }) => `${spelled.line}\n`).join('')
	return {
		files: savedFile(saved, privateFile(content)),
		commands: [`${programs.ip} -force${six} -batch ${UNDOING_FOLDER}/${saved}`],
		onBoot: false,
	}
}

/** Files are written to UNDO_FOLDER when the host is armed, and read from UNDOING_FOLDER when the rollback runs. */
function savedFile(saved: string, file: FileState): Record<string, FileState> {
	return { [`${UNDO_FOLDER}/${saved}`]: file }
}

function commandForFiles(puts: readonly { path: string; file: FileState }[], saved: string, { cp, restorecon }: Programs): RollbackCommand {
	const labels = restorecon === undefined ? [] : [`${restorecon} -F ${puts.map(({ path }) => path).join(' ')}`]
	return {
		files: Object.assign({}, ...puts.map(({ file }, n) => savedFile(`${saved}-${n}`, file))),
		commands: [...puts.map(({ path }, n) => `${cp} -p --remove-destination ${UNDOING_FOLDER}/${saved}-${n} ${path}`), ...labels],
		onBoot: true,
	}
}

function commandForGenerated(
	path: string,
	file: FileState | undefined,
	{ saved, programs }: { saved: string; programs: Programs },
): RollbackCommand {
	if (!file) return { files: {}, commands: [`${programs.rm} -f ${path}`], onBoot: true }
	return { files: savedFile(saved, file), commands: [`${programs.cp} -p ${UNDOING_FOLDER}/${saved} ${path}`], onBoot: true }
}

function commandForSingle({ change, action }: SingleStep, programs: Programs): RollbackCommand {
	if (change?.kind === 'removeFile') return { files: {}, commands: [`${programs.rm} -f ${change.path}`], onBoot: true }
	if (change?.kind === 'sysctl') return commandForSetting(change, programs)
	return { files: {}, commands: action ? commandsForNotice(action, programs) : [], onBoot: false }
}

/** Many links get the same few values, so each value is stored only once. */
function commandForSetting(change: Extract<Change, { kind: 'sysctl' }>, { cp }: Programs): RollbackCommand {
	const saved = `value-${change.value.replace(/\W/g, '_')}`
	const setting = `/proc/sys/${settingPath(change.name, change.key)}`
	return { files: savedFile(saved, privateFile(change.value)), commands: [`${cp} ${UNDOING_FOLDER}/${saved} ${setting}`], onBoot: false }
}

function commandsForNotice(notice: Notice, { sleep, udevadm, nmcli }: Programs): string[] {
	if (notice.kind === 'waitForNames') return [`${sleep} 2`]
	if (notice.kind === 'reloadUdev') return udevadm === undefined ? [] : [`${udevadm} control --reload`]
	if (nmcli === undefined) return []
	if (notice.kind === 'loadProfiles') return [`${nmcli} connection load ${notice.paths.join(' ')}`]
	return [`${nmcli} device set ${notice.name} managed ${notice.kind === 'manage' ? 'yes' : 'no'}`]
}

/** The `-` prefix makes systemd run the next command even if this one fails. @see systemd.service(5) */
function ignoringFailure(command: string): string {
	return `-${command}`
}

function service(description: string, unit: readonly string[], commands: readonly string[]): FileState {
	const head = ['[Unit]', `Description=${description}`, ...unit]
	const body = ['[Service]', 'Type=oneshot', ...commands.map(command => `ExecStart=${command}`)]
	return publicFile(`${head.join('\n')}\n\n${body.join('\n')}\n`)
}

function privateFile(content: string): FileState {
	return { content, mode: 0o600, gid: 0 }
}

function publicFile(content: string): FileState {
	return { content, mode: 0o644, gid: 0 }
}
