/** The shell completion scripts for `kubectl-multinic`; kubectl's own completion calls `kubectl_complete-multinic`. Pure. */

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** @returns the script; its first line shows how to load it */
export function completionScript(shell: Shell): string {
	return scripts[shell]
}

const bash = String.raw`# source <(kubectl multinic completion bash)
# The completion of kubectl completes "kubectl multinic", with kubectl_complete-multinic on PATH.
_kubectl_multinic() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
			:0) compopt -o default ;;
			:*) ;;
			*) COMPREPLY+=("${'$'}{line%%$'\t'*}") ;;
		esac
	done < <(kubectl-multinic __complete "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _kubectl_multinic kubectl-multinic
`

const zsh = String.raw`#compdef kubectl-multinic
# source <(kubectl multinic completion zsh)
# The completion of kubectl completes "kubectl multinic", with kubectl_complete-multinic on PATH.
_kubectl_multinic() {
	local line files=
	local -a choices
	for line in "${'$'}{(@f)$(kubectl-multinic __complete "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
			:0) files=1 ;;
			:*|'') ;;
			*$'\t'*) choices+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}") ;;
			*) choices+=("${'$'}{line//:/\\:}") ;;
		esac
	done
	(( ${'$'}{#choices} )) && _describe 'kubectl multinic' choices
	[[ -n $files ]] && _files
	return 0
}
compdef _kubectl_multinic kubectl-multinic
`

const fish = `# kubectl multinic completion fish | source
# The completion of kubectl completes "kubectl multinic", with kubectl_complete-multinic on PATH.
function __kubectl_multinic_complete
	set -l words (commandline -opc) "$(commandline -ct)"
	kubectl-multinic __complete $words[2..-1] 2>/dev/null | string match -v -r '^:'
end
complete -c kubectl-multinic -f -a '(__kubectl_multinic_complete)'
complete -c kubectl-multinic -l kubeconfig -r -F
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
