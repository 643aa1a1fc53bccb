#!/usr/bin/env bash
# A Docker Engine that answers: the one that does; else the installed one, started; else the distribution's.
# Works without systemd. Whoever started an Engine stops it: `make down` leaves it running.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"
LOG=/var/log/ngc-dockerd.log

answers() { timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null; }

# An Engine that runs, but not for us, is not to be started a second time.
refused() {
    local answer
    answer="$(timeout 10 docker version 2>&1 || true)"
    grep -qi 'permission denied' <<<"$answer"
}

use() {
    say "Docker Engine: $1"
    case "$1" in
        [0-9].* | 1[0-9].* | 20.[0-9].*) fail "Docker Engine $1 is too old" "install Docker Engine 20.10 or later." ;;
    esac
    exit 0
}

not_ours() {
    fail "a Docker Engine runs, but $(id -un) may not use it" \
        "run as root, or: sudo usermod -aG docker $(id -un), log in anew, and run the same command again."
}

if command -v docker >/dev/null && version="$(answers)"; then
    use "$version"
fi
if [ -n "${DOCKER_HOST:-}" ]; then
    fail "the Docker Engine that DOCKER_HOST names does not answer" "start it, or unset DOCKER_HOST to use one on this machine."
fi
if command -v docker >/dev/null && refused; then
    not_ours
fi

if ! command -v dockerd >/dev/null; then
    apt_install docker.io iptables nftables iproute2
fi
# Newer distributions ship the client apart.
command -v docker >/dev/null || apt_install docker-cli
# Some packages start the Engine as they are installed.
if version="$(answers)"; then use "$version"; fi

started=$SECONDS
if [ -d /run/systemd/system ]; then
    say "Starting the Docker Engine as root (systemctl start docker) ..."
    as_root systemctl start docker ||
        fail "systemd could not start Docker" "journalctl -u docker says why; mend it and run the same command again."
else
    say "Starting the Docker Engine as root (dockerd; its log: $LOG) ..."
    # A process id left over from before a restart may by now be somebody else's, and dockerd would not start.
    as_root sh -c '
        for file in /var/run/docker.pid /run/docker/containerd/containerd.pid; do
            if [ -s "$file" ]; then
                name="$(cat "/proc/$(cat "$file")/comm" 2>/dev/null || true)"
                case "$name" in dockerd | containerd) ;; *) rm -f "$file" ;; esac
            fi
        done
        setsid dockerd >>"$1" 2>&1 </dev/null &' - "$LOG"
fi
while [ $((SECONDS - started)) -lt 60 ]; do
    if version="$(answers)"; then
        say "  answers after $((SECONDS - started)) s"
        use "$version"
    fi
    if refused; then
        not_ours
    fi
    sleep 0.5
done
[ ! -r "$LOG" ] || tail -n 8 "$LOG" >&2
fail "the Docker Engine does not answer 60 s after its start" \
    "read $LOG; in a container or virtual machine it needs to be privileged. Then run the same command again."
