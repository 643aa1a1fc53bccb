#!/usr/bin/env bash
# copy.sh IMAGE-ID: JupyterLab's front end, from an image of sessions into build/frontend/<12 digits of its id>/, from where the
# gateway serves it (NGC_FRONTEND_DIR: into another folder, as the setting frontend_dir names it). Quick when it is there and
# whole. Copies of images that are no longer on this machine are removed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../hub/setup/lib.sh"

case "${1:-}" in
sha256:*) ;;
*) fail "no image was named by its id" "copy.sh sha256:…, as docker image inspect tells it." ;;
esac
id="$(docker image inspect --format '{{.Id}}' "$1" 2>/dev/null)" || fail "there is no image $1 here" "run make setup."
short="${id#sha256:}"
short="${short:0:12}"
own="$ROOT/images/researcher/frontend"
python="$(find_python)"
made_by="$(hash_of images/researcher/frontend/collect.py)"
all="${NGC_FRONTEND_DIR:-$BUILD/frontend}"
mkdir -p "$all"
# Two set-ups at once would take each other's half-made copy for a leftover.
exec 9>"$all/.lock"
flock 9

for old in "$all"/* "$all"/.new.*; do
    name="${old##*/}"
    [ -e "$old" ] && [ "$name" != "$short" ] || continue
    docker image inspect "sha256:$name" >/dev/null 2>&1 || rm -rf "$old"
done
if "$python" "$own/collect.py" --intact "$all/$short" "$id" "$made_by"; then
    exit 0
fi

new="$(mktemp -d "$all/.new.XXXXXX")"
trap 'rm -rf "$new"' EXIT
# The image is ours; what it writes is unpacked as files of whoever runs this, and checked before it counts.
collect() {
    docker run --rm -i --network none --read-only --cap-drop ALL --security-opt no-new-privileges --label ngc-workbench=image \
        --tmpfs /tmp:mode=1777 --tmpfs /home/researcher:uid=10001,gid=10001,mode=0700 \
        --entrypoint /opt/workbench/bin/python "$id" - "$id" "$made_by" <"$own/collect.py" |
        tar -x -C "$new" --no-same-owner --no-same-permissions
    "$python" "$own/collect.py" --intact "$new" "$id" "$made_by"
}
REMEDY="this is a fault of images/researcher/frontend/collect.py, or of a JupyterLab that it does not know: report it." \
    step "Front end of $short" collect
chmod -R u=rwX,go=rX "$new"
rm -rf "${all:?}/$short"
mv -T "$new" "$all/$short"
