#!/bin/bash
# What this host has and lacks to run confidential guests, each line with why and how to mend it: what
# `cdvm doctor` says, found beside these scripts.
#
# usage: check-host.sh [--dry-run] [OPTION-OF-CDVM-DOCTOR]...
#   --dry-run  print the command and run nothing
#   others     such as --json: see cdvm doctor --help
# Exit: that of cdvm doctor; 69 there is no cdvm.
set -euo pipefail
# shellcheck source=qemu-scripts/host.sh
. "$(dirname "$(realpath "$0")")/host.sh"

passed=()
for word in "$@"; do
    case $word in
    --dry-run) DRY=1 ;;
    -h | --help) help ;;
    *) passed+=("$word") ;;
    esac
done
cdvm=$(find_cdvm) || exit
act "$cdvm" doctor "${passed[@]}"
