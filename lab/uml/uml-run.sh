#!/bin/bash
# uml-run.sh ARGS... runs the kernel of a node. When the node reboots, User-Mode Linux executes argv[0] again in the same process, with all
# file descriptors open: every tap would then be busy, and NICs that were plugged in since the start would be missing. Therefore argv[0] is
# this script. It closes the descriptors and reads the ports of the node from the file in lab.ports=, like a cloud that restarts a VM.
# UML_PRELOAD: a library that the kernel needs on some CPUs.
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
