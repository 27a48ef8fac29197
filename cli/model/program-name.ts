/**
 * Adds the namespace given by the user to the commands that a text suggests, so that they can be copied and run. Pure.
 *
 * @param namespace undefined if no namespace was given: the suggested commands then use the default too
 * @returns the text with `-n NAMESPACE` in each `kubectl multinic …` that does not have `-n`
 */
export function withNamespace(text: string, namespace: string | undefined): string {
	if (namespace === undefined) return text
	return text.replace(/\bkubectl multinic (?=[a-z])(?!(?:(?!kubectl|\. )[^;,\n])* -n )/g, `kubectl multinic -n ${namespace} `)
}
