#!/usr/bin/env bash
# machine.sh DIR: puts into DIR what a build here needs to know of this machine: package sources, the
# certificate authorities it trusts, pip's index. Only a build stage sees DIR; no final image has any of it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../hub/setup/lib.sh"
out="$1"
SUITE=bookworm
rm -rf "$out"
mkdir -p "$out"

# Package sources: empty means that the base image's own are used (a pulled Debian has them).
: >"$out/sources.list"
mirror="$("$ROOT/images/base/mirror.sh" main)"
security="$("$ROOT/images/base/mirror.sh" security)"
signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
if [ -n "$mirror" ]; then
    printf "deb $signed %s %s main\n" "$mirror" "$SUITE" "$mirror" "$SUITE-updates" >"$out/sources.list"
    [ -z "$security" ] || printf "deb $signed %s %s main\n" "$security" "$SUITE-security" >>"$out/sources.list"
fi

# One bundle of all authorities that this machine trusts, its own ones included.
bundle=/etc/ssl/certs/ca-certificates.crt
: >"$out/ca.crt"
[ ! -s "$bundle" ] || cat "$bundle" >"$out/ca.crt"

{
    if command -v apt-config >/dev/null; then
        # A proxy, and how apt judges dates where the mirror is a snapshot.
        apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) ' || true
    fi
    [ ! -s "$out/ca.crt" ] || printf '%s\n' 'Acquire::https::CaInfo "/machine/ca.crt";'
    printf '%s\n' 'APT::Install-Recommends "false";' 'APT::Install-Suggests "false";' 'Acquire::Retries "3";'
    if [ -s "$out/sources.list" ]; then
        printf '%s\n' 'Dir::Etc::SourceList "/machine/sources.list";' 'Dir::Etc::SourceParts "/dev/null";'
    fi
} >"$out/apt.conf"

# pip's index as this machine's pip has it; places on this machine's disk don't exist inside a build.
{
    printf '[global]\ndisable-pip-version-check = true\nno-cache-dir = true\ntimeout = 180\n'
    [ ! -s "$out/ca.crt" ] || printf 'cert = /machine/ca.crt\n'
    "${PYTHON:-python3}" -m pip config list 2>/dev/null |
        sed -nE "s/^(global|install|:env:)\.(index-url|extra-index-url|proxy|trusted-host)='(.*)'$/\2 \3/p" |
        while read -r key values; do
            kept=""
            for value in $values; do
                case "$value" in file:* | /*) ;; *) kept="$kept $value" ;; esac
            done
            [ -z "$kept" ] || printf '%s =%s\n' "$key" "$kept"
        done | awk '!seen[$1]++'
} >"$out/pip.conf"
