#!/usr/bin/env bash
# The base of our images: Debian 12, pulled where a registry answers, else made here with debootstrap from
# the mirror that this machine's own package sources name. Prints the tag on its last line.
# In the base stands no mirror, no certificate and no other word about this machine.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../hub/setup/lib.sh"

SUITE=bookworm
TAG="ngc-base:$(hash_of images/base/build.sh)"

if docker image inspect "$TAG" >/dev/null 2>&1; then
    say "$TAG"
    exit 0
fi

# import_root DIR TAG: a directory becomes an image.
import_root() {
    as_root tar -C "$1" --numeric-owner -c . | docker import --change 'LABEL ngc-workbench=image' - "$2"
}

if timeout 20 docker pull -q "debian:$SUITE-slim" >/dev/null 2>&1; then
    say "Base image: debian:$SUITE-slim, pulled"
    printf 'FROM debian:%s-slim\nLABEL ngc-workbench=image\n' "$SUITE" | docker_build -q -t "$TAG" - >/dev/null
else
    say "Base image: no registry answered within 20 s, so it is made here with debootstrap"
    mirror="$("$ROOT/images/base/mirror.sh" main)"
    [ -n "$mirror" ] || fail "no Debian mirror is known here" \
        "set NGC_DEBIAN_MIRROR to the address of a Debian mirror, or make a container registry reachable."
    # An Ubuntu machine checks Debian's signatures only with Debian's keyring.
    apt_install debootstrap debian-archive-keyring
    tree="$(as_root mktemp -d "${TMPDIR:-/tmp}/ngc-base.XXXXXX")"
    trap 'as_root rm -rf --one-file-system "$tree"' EXIT
    REMEDY="check that the mirror of this machine's package sources answers, or set NGC_DEBIAN_MIRROR." \
        step "Debian $SUITE by debootstrap" as_root debootstrap --variant=minbase \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$SUITE" "$tree" "$mirror"
    # The mirror is this machine's affair; a build brings its own sources (images/machine.sh).
    as_root sh -c ': >"$1"/etc/apt/sources.list
        rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/etc/resolv.conf "$1"/etc/hostname' - "$tree"
    step "Base image from it" import_root "$tree" "$TAG"
fi
say "$TAG"
