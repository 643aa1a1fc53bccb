#!/usr/bin/env bash
# All images, each built only when its inputs changed; build/images.json says which ones count.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/../../images/researcher/build.sh"
