#!/usr/bin/env bash
# mirror.sh main|security: address of the Debian mirror that this machine uses, or nothing.
# NGC_DEBIAN_MIRROR (and NGC_DEBIAN_SECURITY_MIRROR) come first; else the machine's own sources, when it is a Debian.
set -euo pipefail
kind="$1"

if [ "$kind" = main ] && [ -n "${NGC_DEBIAN_MIRROR:-}" ]; then
    printf '%s\n' "$NGC_DEBIAN_MIRROR"
    exit 0
fi
if [ "$kind" = security ] && [ -n "${NGC_DEBIAN_MIRROR:-}${NGC_DEBIAN_SECURITY_MIRROR:-}" ]; then
    printf '%s' "${NGC_DEBIAN_SECURITY_MIRROR:-}"
    exit 0
fi
# shellcheck source=/dev/null
. /etc/os-release
[ "${ID:-}" = debian ] || exit 0
command -v apt-get >/dev/null || exit 0
case "$kind" in
    main) suite="$VERSION_CODENAME" ;;
    security) suite="$VERSION_CODENAME-security" ;;
    *) echo "mirror.sh main|security" >&2; exit 2 ;;
esac
# apt itself knows both forms of its sources, but tells only of those whose lists it has fetched.
targets() {
    apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
        awk -v suite="$suite" '$1 == "Packages" && $2 == suite && $3 == "main" { print $4; exit }'
}
found="$(targets)"
if [ -z "$found" ]; then
    source "$(dirname "${BASH_SOURCE[0]}")/../../hub/setup/lib.sh"
    step "Package lists" as_root apt-get update -q >&2
    found="$(targets)"
fi
printf '%s\n' "$found"
