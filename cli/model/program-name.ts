/**
 * Adds the namespace that the user gave to the commands that a text suggests, so that they can be pasted. Pure.
 *
 * @param namespace undefined: none was given, and the default applies to the suggested commands too
 * @returns the text with `-n NAMESPACE` in each `kubectl multinic …` that names none
 */
export function withNamespace(text: string, namespace: string | undefined): string {
	if (namespace === undefined) return text
	return text.replace(/\bkubectl multinic (?=[a-z])(?!(?:(?!kubectl|\. )[^;,\n])* -n )/g, `kubectl multinic -n ${namespace} `)
}
