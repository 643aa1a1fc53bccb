#!/usr/bin/env bash
# A Chromium for the browser tests, from the distribution.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if ! command -v chromium >/dev/null; then
    apt_install chromium fonts-dejavu-core
fi
command -v chromium >/dev/null || fail "there is no chromium" "install your distribution's Chromium as the command chromium."
say "Browser: $(chromium --version 2>/dev/null | cut -d' ' -f1,2)"
