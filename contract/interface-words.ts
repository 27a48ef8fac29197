/** Messages that name one of several interfaces, in the report of a run and in the status. */

/** @returns the message, prefixed with the name of the interface unless it already starts with it */
export function ofInterface({ name, message }: { name: string; message: string }): string {
	return message.startsWith(`${name} `) ? message : `${name}: ${message}`
}

/** @returns `multinic1 (fa:16:3e:00:00:01) is not removed: vlan5 is on top of it` */
export function ofRemoval({ name, macAddress, message }: { name: string; macAddress: string; message: string }): string {
	return `${name} (${macAddress}) is not removed: ${message}`
}
