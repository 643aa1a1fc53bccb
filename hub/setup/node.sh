#!/usr/bin/env bash
# The hub's proxy, the demo's identity provider, the design system and htmx, from npm, into build/node.
# Node.js and npm are those of the virtual environment.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stamp="$BUILD/node/.ngc-stamp"
state="$(hash_of hub/node/package.json hub/node/package-lock.json)"
if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
    say "Node packages: build/node is as it should be"
    exit 0
fi
[ -x "$ROOT/.venv/bin/npm" ] || fail "there is no npm in .venv" "run make setup."

mkdir -p "$BUILD/node"
rm -f "$stamp"
cp "$ROOT/hub/node/package.json" "$ROOT/hub/node/package-lock.json" "$BUILD/node/"
export PATH="$ROOT/.venv/bin:$PATH"
# Node.js has its own list of authorities; this machine's may be longer.
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -s /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi
# No package's own scripts run here.
REMEDY="see that this machine's npm reaches its registry (npm ping); then run the same command again." \
    step "Node packages, pinned with hashes" npm --prefix "$BUILD/node" ci --omit=dev --ignore-scripts --no-audit --no-fund
printf '%s' "$state" >"$stamp"
