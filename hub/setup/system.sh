#!/usr/bin/env bash
# What the machine itself must have: Python 3.11 or later with venv, the firewall's and the network's commands.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(uname -s)" = Linux ] || fail "this is $(uname -s)" "run the workbench on Linux: its isolation is Linux's."

python="$(find_python)"
# Commands of the firewall and the network stand in sbin, which is not on everybody's path.
PATH="$PATH:/usr/sbin:/sbin"
needed=()
# Debian and Ubuntu keep venv in a package of its own.
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    needed+=(python3-venv "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')")
command -v nft >/dev/null || needed+=(nftables)
command -v ip >/dev/null || needed+=(iproute2)
[ "${#needed[@]}" -eq 0 ] || apt_install "${needed[@]}"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module" "install it, or name another interpreter in PYTHON."
say "System: $("$python" --version), $(nft --version 2>/dev/null | cut -d' ' -f1,2), iproute2"
