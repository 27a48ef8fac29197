/** One line of a systemd or NetworkManager file: `key=value` in a section. */
export type IniEntry = { section: string; key: string; value: string }

/**
 * Returns every entry of an INI file, in order; comments and lines that are not entries are omitted.
 *
 * @param isContinued a line that ends with a backslash continues on the next, as systemd reads it
 */
export function iniEntries(content: string, isContinued: boolean): IniEntry[] {
	const entries: IniEntry[] = []
	let section = ''
	let begun = ''
	for (const raw of content.split('\n')) {
		const line = raw.trim()
		if (/^[#;]/.test(line)) continue
		const whole = begun + line
		if (isContinued && line.endsWith('\\')) {
			begun = `${whole.slice(0, -1)} `
			continue
		}
		begun = ''
		const equals = whole.indexOf('=')
		if (whole.startsWith('[') && whole.endsWith(']')) section = whole.slice(1, -1)
		else if (equals > 0) entries.push({ section, key: whole.slice(0, equals).trim(), value: whole.slice(equals + 1).trim() })
	}
	return entries
}

/** @returns the value of a key in any section; the first if there are several */
export function iniValue(entries: readonly IniEntry[], key: string): string | undefined {
	return entries.find(entry => entry.key === key)?.value
}

/** @returns a MAC in the format that the kernel prints, if its parts are separated by `:`, `-` or `.`; other text in lower case */
export function macOf(text: string): string {
	const digits = text.toLowerCase().replaceAll(/[:.-]/g, '')
	return /^[0-9a-f]{12}$/.test(digits) ? (digits.match(/../g) ?? []).join(':') : text.toLowerCase()
}
