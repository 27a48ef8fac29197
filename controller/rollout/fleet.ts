import { waveLimit } from '../../contract/rollout.ts'
import { onceATurn } from '../../runtime/once-a-turn.ts'
import type { Decision } from '../model/decision.ts'
import { createWaitQueue } from './wait-queue.ts'
import type { FleetSources } from './fleet-sources.ts'
import { isAlike, type Member, memberOf } from './member.ts'
import { changesNode } from './participation.ts'
import { createSettings, type Data } from './settings.ts'
import type { Mode, RolloutView } from '../model/snapshot.ts'

/** Tracks the rollout of all node configs, by node name: which nodes are being changed, are queued, or stop the rollout. */
export type Fleet = {
	/** Refreshes the node after a change. */
	refresh(name: string): void
	/** Sets the data of the ConfigMap multinic-rollout; undefined if it does not exist. */
	setSettings(data: Data): void
	/** Sets the data of the ConfigMap multinic-rollout-pause; undefined if it does not exist. */
	setPause(data: Data): void
	/** Records the decision about the node; undefined if it could not be carried out. */
	recordDecision(name: string, now: number, decision: Decision | undefined): void
	/** Reserves a slot for a run about to be created at `now`. @returns a function to call once the run is cached or was not created */
	reserve(name: string, mode: Mode, now: number): () => void
	/** Returns the node's state in the rollout for a decision; a later change wakes the node again. */
	view(name: string): RolloutView
	counts(): FleetCounts
	/** The nodes that stop the rollout, and why, sorted by name. */
	stops(): { name: string; uid: string; stops: string }[]
}

/** Numbers of node configs (in total, being changed, queued, stopping the rollout), and whether and how the rollout is limited. */
export type FleetCounts = { total: number; changing: number; queued: number; stopping: number; paused: boolean; limit: number }

/** Creates an empty fleet. */
export function createFleet(sources: FleetSources): Fleet {
	return new Rollout(sources)
}

class Rollout implements Fleet {
	readonly #sources: FleetSources
	readonly #members = new Map<string, Member>()
	readonly #queue = createWaitQueue()
	readonly #changing = new Set<string>()
	readonly #stopping = new Set<string>()
	readonly #skipping = new Set<string>()
	/** Nodes on hold that were not woken since their last decision; while there are none, the queue is not searched, which takes long. */
	readonly #asleep = new Set<string>()
	readonly #onNodes = new Set<string>()
	readonly #reserved = new Map<string, Mode>()
	readonly #settings = createSettings()
	/** Why all nodes are held; empty if they are not. */
	#globalHold = ''
	/** All changes in one turn of the event loop are processed together. */
	readonly #advanceSoon = onceATurn(() => this.#advance())

	constructor(sources: FleetSources) {
		this.#sources = sources
	}

	refresh(name: string): void {
		const config = this.#sources.configOf(name)
		const before = this.#members.get(name)
		if (before) this.#queue.remove(before)
		const part = config && { config, spec: config.read.spec, runs: this.#sources.runsOf(name) }
		const member = part && memberOf(part, this.#sources.nodeOf(name), before ?? this.#sources.recordedStop(name))
		if (member) this.#members.set(name, member)
		else this.#members.delete(name)
		if (member?.isQueued) this.#queue.add(member)
		setMember(this.#changing, name, member?.changing)
		setMember(this.#stopping, name, member?.stops !== undefined)
		setMember(this.#skipping, name, member?.skipsQueue)
		if (member?.hold === undefined) this.#asleep.delete(name)
		setMember(this.#onNodes, name, member?.hasNode)
		if (member?.stops !== before?.stops) this.#sources.stopsChanged()
		if (!isAlike(before, member)) this.#advanceSoon()
	}

	setSettings(data: Data): void {
		this.#settings.chart(data)
		this.#advanceSoon()
	}

	setPause(data: Data): void {
		this.#settings.person(data)
		this.#advanceSoon()
	}

	recordDecision(name: string, now: number, decision: Decision | undefined): void {
		const member = this.#members.get(name)
		if (!member || decision?.act === 'updateMetadata' || decision?.act === 'deleteRuns') return
		const reason = decision?.act === 'queue' ? decision.why : decision?.act === 'setStatus' ? decision.holdReason : undefined
		member.hold = reason && (member.hold?.reason === reason ? member.hold : { reason, since: now })
		setMember(this.#asleep, name, reason !== undefined)
		member.isQueued = reason !== undefined
		if (member.isQueued) this.#queue.add(member)
		else this.#dequeue(member)
	}

	reserve(name: string, mode: Mode, now: number): () => void {
		this.#reserved.set(name, mode)
		const member = this.#members.get(name)
		if (member) member.lastRunAt = Math.max(now, member.lastRunAt ?? now)
		return () => {
			this.#reserved.delete(name)
			this.#advanceSoon()
		}
	}

	view(name: string): RolloutView {
		const member = this.#members.get(name)
		setMember(this.#asleep, name, member?.hold !== undefined)
		const stopper = this.#stopper(name)
		return {
			settings: this.#settings.now(),
			slots: this.#slots(),
			runSlots: this.#runSlots(),
			queuePosition: !member || member.skipsQueue ? 0 : this.#queue.position(member),
			controlPlaneBusy: member?.controlPlane === true && this.#isControlPlaneBusy(name),
			stoppedBy: stopper && { name: stopper.name, reason: stopper.stops ?? '' },
			skipsQueue: member?.skipsQueue ?? false,
			hold: member?.hold,
			lastRunAt: member?.lastRunAt ?? this.#sources.startedAt,
			activeVerifications: this.#sources.active(mode => !changesNode(mode)) + this.#reservedTo(mode => !changesNode(mode)).length,
		}
	}

	counts(): FleetCounts {
		const { size: total } = this.#members
		const settings = this.#settings.now()
		const paused = 'fault' in settings || settings.value.paused
		const queued = this.#queue.length
		return { total, changing: this.#changing.size, queued, stopping: this.#stopping.size, paused, limit: this.#limit() }
	}

	stops(): { name: string; uid: string; stops: string }[] {
		const members = [...this.#stopping].sort().flatMap(name => this.#members.get(name) ?? [])
		return members.map(({ name, uid, stops = '' }) => ({ name, uid, stops }))
	}

	#dequeue(member: Member): void {
		this.#queue.remove(member)
		this.#advanceSoon()
	}

	/** Wakes the nodes that may be next, or all queued nodes if the reason for holding all nodes has changed. */
	#advance(): void {
		const hold = this.#globalHoldNow()
		const isChanged = hold !== this.#globalHold
		this.#globalHold = hold
		if (this.#asleep.size === 0) return
		const first = isChanged ? this.#queue.length : hold === '' ? this.#slots() : 0
		for (const name of [...this.#skipping, ...this.#queue.first(first)]) {
			if (this.#asleep.delete(name)) this.#sources.wake(name)
		}
	}

	#globalHoldNow(): string {
		const settings = this.#settings.now()
		if ('fault' in settings) return settings.fault
		if (settings.value.paused) return 'paused'
		return this.#stopper('')?.name ?? ''
	}

	/** Returns the first node by name that stops the rollout, except `but`: a node does not stop itself. */
	#stopper(but: string): Member | undefined {
		const [first] = [...this.#stopping].filter(name => name !== but).sort()
		return first === undefined ? undefined : this.#members.get(first)
	}

	#isControlPlaneBusy(but: string): boolean {
		return [...this.#changing, ...this.#reservedTo(changesNode)].some(name => name !== but && this.#members.get(name)?.controlPlane)
	}

	/** How many more nodes may be changed now. */
	#slots(): number {
		const starting = this.#reservedTo(changesNode).filter(name => !this.#changing.has(name))
		return Math.min(this.#limit() - this.#changing.size - starting.length, this.#runSlots())
	}

	/** How many more runs may be created now, of any mode. */
	#runSlots(): number {
		return this.#sources.maxConcurrentRuns - this.#sources.active(() => true) - this.#reserved.size
	}

	#limit(): number {
		const settings = this.#settings.now()
		return 'value' in settings ? waveLimit(settings.value.maxUnavailable, this.#onNodes.size) : 0
	}

	#reservedTo(is: (mode: Mode) => boolean): string[] {
		return [...this.#reserved].flatMap(([name, mode]) => (is(mode) ? [name] : []))
	}
}

function setMember(set: Set<string>, name: string, is: boolean | undefined): void {
	if (is) set.add(name)
	else set.delete(name)
}
