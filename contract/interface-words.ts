/** What is said of one interface among others, in the report of a run and in the status. */

/** @returns the words with the interface before them, which is named once */
export function ofInterface({ name, message }: { name: string; message: string }): string {
	return message.startsWith(`${name} `) ? message : `${name}: ${message}`
}

/** @returns `multinic1 (fa:16:3e:00:00:01) is not removed: vlan5 is on top of it` */
export function ofRemoval({ name, macAddress, message }: { name: string; macAddress: string; message: string }): string {
	return `${name} (${macAddress}) is not removed: ${message}`
}
