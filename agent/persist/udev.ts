/** Which rule gives a NIC its name, and which name. */
export type Naming = { name: string; by: string }

/**
 * @param said what `udevadm test` prints; its words differ between versions of systemd
 * @returns what the last rule that names the NIC says; undefined where none is told of
 */
export function lastNamed(said: string): Naming | undefined {
	return said
		.split('\n')
		.flatMap(line => {
			const [, by, name] = RULE_FIRST.exec(line) ?? []
			if (by !== undefined && name !== undefined) return [{ name, by }]
			const [, word, path] = NAME_FIRST.exec(line) ?? []
			return word !== undefined && path !== undefined ? [{ name: word, by: path }] : []
		})
		.at(-1)
}

/** systemd 249 and later: `multinic0: /etc/udev/rules.d/99-z-multinic0.rules:2 NAME 'multinic0'` */
const RULE_FIRST = /(\/\S+\.rules):\d+\b.*?\bNAME(?: |=|:=)+['"]([^'"]+)['"]/
/** Before: `NAME 'multinic0' /etc/udev/rules.d/99-z-multinic0.rules:2` */
const NAME_FIRST = /^NAME '([^']+)' (\/\S+\.rules):\d+/
