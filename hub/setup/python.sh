#!/usr/bin/env bash
# python.sh [dev]: the virtual environment .venv from hash-pinned requirements; with "dev", the tools of
# `make lint` and `make test` too. Does nothing when what it was made from hasn't changed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

kind="${1:-control}"
python="$(find_python)"
version="$("$python" -c 'import platform; print(platform.python_version())')"
# What each kind was made from; an environment for development is one for running too.
control="$version $ROOT $(hash_of requirements/control.txt pyproject.toml)"
dev="$control $(hash_of requirements/dev.txt)"
wanted=(-r requirements/control.txt)
state="$control"
if [ "$kind" = dev ]; then
    wanted+=(-r requirements/dev.txt)
    state="$dev"
fi
stamp=".venv/.ngc-$kind"

if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ] && .venv/bin/python -c 'import ngc_workbench' 2>/dev/null; then
    say "Python environment: .venv is as it should be"
    exit 0
fi
rm -f .venv/.ngc-*

# Another Python, a moved checkout or a broken environment: from the start. Else it is brought up to date in place.
if [ "$(.venv/bin/python -c 'import platform; print(platform.python_version())' 2>/dev/null)" != "$version" ] ||
    ! head -n 1 .venv/bin/pip 2>/dev/null | grep -qF "$ROOT/.venv/"; then
    REMEDY="see that the disk has room and that $python has its venv module." \
        step "Python environment .venv" "$python" -m venv --clear .venv
fi
REMEDY="see that this machine's pip reaches its index (pip config list); then run the same command again." \
    step "Python packages, pinned with hashes ($kind)" \
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --require-hashes "${wanted[@]}"
# Built with the pinned setuptools of the environment: nothing unpinned is fetched.
step "The workbench itself" .venv/bin/python -m pip install --disable-pip-version-check --no-input \
    --no-deps --no-build-isolation --no-index -e .
printf '%s' "$control" >.venv/.ngc-control
[ "$kind" != dev ] || printf '%s' "$dev" >.venv/.ngc-dev
