#!/usr/bin/env bash
# No tracked file names a package registry, a mirror of this machine or a path of it: the project takes them
# from the machine's own configuration.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# Written so that this file doesn't match itself.
patterns='pypi[.]or[g]|pythonhosted[.]or[g]|npmjs[.](or[g]|co[m])|registry-1[.]docke[r]|(deb|security|snapshot)[.]debia[n][.]'
patterns="$patterns"'|(archive|security)[.]ubunt[u][.]|nodesourc[e][.]|/(wor[k]|far[m])/|[.]librar[y]/'

# This machine's own: its pip index, its package sources, its npm registry, where this checkout stands.
machine="$(mktemp)"
trap 'rm -f "$machine"' EXIT
{
    "$ROOT/.venv/bin/python" -m pip config list 2>/dev/null || true
    env | grep -iE '^(pip|uv|npm_config)_|proxy=' || true
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true
    cat ~/.npmrc /etc/npmrc 2>/dev/null || true
} | sed '/^ *#/d' | { grep -oE 'https?://[^/ "'"'"':]+' || true; } | sed -E 's#https?://([^@]*@)?##' |
    { grep -vxE 'localhost|127\.0\.0\.1' || true; } | sort -u >"$machine"
printf '%s\n' "$ROOT/" >>"$machine"

found="$(git ls-files -z --cached --others --exclude-standard |
    xargs -0 -r sh -c 'grep -nHIE "$0" -- "$@"; grep -nHIF -f '"$machine"' -- "$@"; true' "$patterns" 2>/dev/null |
    cut -c1-160 | sort -u)"
if [ -n "$found" ]; then
    printf '%s\n' "$found" >&2
    fail "the files above name a registry, a mirror or a path of this machine" "take it out of them."
fi
say "No registry, mirror or machine's path in a tracked file"
