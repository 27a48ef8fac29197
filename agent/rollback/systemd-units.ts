import { groupSteps, type SingleStep, type StepGroup } from '../ip/batches.ts'
import type { Device } from '../ip/device-word.ts'
import type { Change, Notice, UndoStep } from '../model/change.ts'
import type { FileState } from '../model/host-state.ts'
import { COMMITTED_FOLDER, settingPath, UNDO_FOLDER, UNDOING_FOLDER } from '../model/paths.ts'

/** Absolute paths of the host's programs, which are all that a rollback without Node.js needs; the optional ones if the host has them. */
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
	/** Units of this boot: a timer that fires unless the run commits, and the service that it starts. */
	live: Record<string, FileState>
	/** The unit of the next boot. */
	boot: Record<string, FileState>
	timer: string
	/** The symlink that enables the boot unit, and its target. */
	enabled: { path: string; target: string }
}

export type Rollback = {
	undo: readonly UndoStep[]
	programs: Programs
	/** Tag of this run; part of the names of its units, so that systemd never has an older one in memory. */
	tag: string
	/** /proc/sys/kernel/random/boot_id, by which the next run detects that the ifindexes in the rollback are from an earlier boot. */
	bootId: string
	commitTimeoutSeconds: number
	/** The current MADE_AT_BOOT: the next boot generates them from the files of MultiNIC, before its rollback removes those. */
	madeAtBoot?: Readonly<Record<string, FileState | undefined>>
	/** How the host's `ip` identifies a link. */
	device?: Device
	/** STATE_FOLDER is on the root file system, so the rollback can run before udev names links. */
	onRoot: boolean
}

export const UNDO_JSON = `${UNDO_FOLDER}/undo.json`
/** The same file while the host rolls back. */
export const UNDOING_JSON = `${UNDOING_FOLDER}/undo.json`
const BOOT_UNIT = 'multinic-undo.service'

/** Returns the rollback of a whole run as systemd units that need neither Node.js nor a shell. Valid after any prefix of the steps. */
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

/** When the boot unit runs: after STATE_FOLDER is there, and before any program configures a link. */
function bootConditions(onRoot: boolean): string[] {
	// udevd caches files for some seconds: it must not have read what netplan generated from MultiNIC's files early in this boot.
	const udev = onRoot ? ' systemd-udevd.service systemd-udev-trigger.service' : ''
	return [
		// Either of them: the power may have failed during the rollback.
		`ConditionPathExists=|${UNDO_JSON}`,
		`ConditionPathExists=|${UNDOING_JSON}`,
		'DefaultDependencies=no',
		`RequiresMountsFor=${UNDO_FOLDER}`,
		'After=systemd-remount-fs.service',
		'Wants=network-pre.target',
		`Before=network-pre.target systemd-networkd.service NetworkManager.service${udev}`,
	]
}

/** `onBoot`: the commands also restore files at the next boot. */
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

/** Files are written to UNDO_FOLDER when the timer is armed, and read from UNDOING_FOLDER when the rollback runs. */
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

/** Many links get the same few values, so each value is stored once. */
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

/** The next command runs even if this one fails. @see systemd.service(5) */
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
