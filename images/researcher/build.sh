#!/usr/bin/env bash
# The image of sessions. Its tag is a hash of all that goes into it, so nothing is built twice; its id goes into
# build/images.json, where the settings find it. NGC_REBUILD=1 builds anew (for the distribution's updates).
# frontend/ goes into no image: it takes JupyterLab's front end out of one, for the gateway.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../hub/setup/lib.sh"
cd "$ROOT"

library=ngc_workbench/researcher
[ -f "$library/__init__.py" ] || fail "the researcher's library is missing ($library)" "take a whole checkout."

mapfile -t inputs < <(find images/base images/machine.sh images/researcher "$library" example_notebooks -type f \
    -not -path '*/__pycache__/*' -not -path 'images/researcher/frontend/*' -not -name '*.in')
TAG="ngc-researcher:$(hash_of "${inputs[@]}")"

# remember TAG: what the settings read.
remember() {
    local id
    id="$(docker image inspect --format '{{.Id}}' "$1")"
    # Before the settings name it: the gateway does not start without it.
    images/researcher/frontend/copy.sh "$id"
    printf '{"researcher": {"tag": "%s", "id": "%s"}}\n' "$1" "$id" >"$BUILD/images.json.new"
    mv "$BUILD/images.json.new" "$BUILD/images.json"
    say "Image of sessions: $1"
}

if [ -z "${NGC_REBUILD:-}" ] && docker image inspect "$TAG" >/dev/null 2>&1; then
    remember "$TAG"
    exit 0
fi

[ "$(uname -m)" = x86_64 ] || fail "the pinned packages of sessions are for x86-64, this machine is $(uname -m)" \
    "use an x86-64 machine."
free_gb="$(df -Pk "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)" 2>/dev/null | awk 'NR == 2 { print int($4 / 1048576) }')"
[ "${free_gb:-8}" -ge 8 ] || fail "Docker's disk has ${free_gb} GB free, the image needs 8 while it is built" \
    "make room (docker system df), or give Docker another data-root."

"$ROOT/images/base/build.sh" | tee "$BUILD/logs/base.out"
BASE="$(tail -n 1 "$BUILD/logs/base.out")"

context="$BUILD/context"
rm -rf "$context"
trap 'rm -rf "$context"' EXIT
mkdir -p "$context"
cp -r images/researcher/. "$context/"
rm -r "$context/frontend"
cp -r "$library" "$context/ngc"
mkdir "$context/notebooks"
cp example_notebooks/*.ipynb "$context/notebooks/"
find "$context" -name __pycache__ -prune -exec rm -rf {} +
# The same modes whatever the umask of who cloned it.
chmod -R u=rwX,go=rX "$context"
"$ROOT/images/machine.sh" "$context/machine"

REMEDY="check that this machine's package sources and pip index answer; then run the same command again." \
    step "Image $TAG (a few minutes the first time)" \
    docker_build --network host ${NGC_REBUILD:+--no-cache} --build-arg "BASE=$BASE" -t "$TAG" "$context"

# What must not be in it: this machine's certificates and mirrors, the control plane.
mapfile -t own < <(for file in /usr/local/share/ca-certificates/*.crt; do [ -s "$file" ] && sed -n 3p "$file"; done)
check_clean() {
    docker run --rm -i --network none --user 0 --label ngc-workbench=image \
        --entrypoint /bin/sh "$TAG" -s -- "${own[@]}" <images/researcher/clean.sh
}
REMEDY="this is a fault of images/researcher/Dockerfile: report it." step "Image $TAG is clean" check_clean
remember "$TAG"
