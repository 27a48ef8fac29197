/** The rule that assigns a NIC its name, and the name. */
export type Naming = { name: string; by: string }

/**
 * @param said the output of `udevadm test`, which differs between versions of systemd
 * @returns the last rule that names the NIC, and the name; undefined if the output has no such rule
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
/** Earlier: `NAME 'multinic0' /etc/udev/rules.d/99-z-multinic0.rules:2` */
const NAME_FIRST = /^NAME '([^']+)' (\/\S+\.rules):\d+/
