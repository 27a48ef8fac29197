#!/bin/bash
# uml-run.sh ARGS... runs a node's kernel. A reboot inside it makes User-Mode-Linux execute argv[0] again in the same process, with all
# descriptors open: every tap would then be busy, and NICs plugged in since would be gone. So argv[0] is this script. It closes what is
# open and reads the node's ports from the file that lab.ports= names, as a cloud does for a VM that it starts again. UML_PRELOAD: a library
# without which the kernel cannot run on every CPU.
for fd in /proc/self/fd/*; do
	fd=${fd##*/}
	case $fd in 0 | 1 | 2 | 255) ;; *) eval "exec $fd>&-" 2>/dev/null ;; esac
done
args=()
for arg in "$@"; do
	case $arg in
	vec*) continue ;;
	lab.ports=*) mapfile -t nics <"${arg#lab.ports=}" ;;
	esac
	args+=("$arg")
done
LD_PRELOAD=$UML_PRELOAD exec -a "$(realpath "$0")" linux.uml "${args[@]}" "${nics[@]}"
