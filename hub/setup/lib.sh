# What the set-up scripts share. Source it; it sets ROOT (the checkout) and BUILD (what can be made again).
# Every script says what it does in one line, and every failure says what to do.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
BUILD="$ROOT/build"
mkdir -p "$BUILD/logs"

say() { printf '%s\n' "$*"; }

# fail WHAT WHAT-TO-DO: one line on stderr, and the script ends.
fail() {
    printf 'FAILED: %s\n  To do: %s\n' "$1" "$2" >&2
    exit 1
}

# as_root COMMAND...: directly when we are root, else through sudo without asking (there may be no terminal).
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif sudo -n true 2>/dev/null; then
        sudo -n -- "$@"
    else
        fail "this needs root: ${*%%$'\n'*}" "run the same make target as root, or as somebody who may use sudo without a password."
    fi
}

# step WHAT COMMAND...: runs it with its output in a log, tells every 15 seconds that it is still at work,
# and on failure shows the end of the log. WHAT-TO-DO on failure comes from $REMEDY.
step() {
    local what="$1" log started last now code=0 pid
    shift
    log="$BUILD/logs/$(printf '%s' "$what" | tr -cs 'A-Za-z0-9' '-' | cut -c1-60).log"
    started=$SECONDS
    last=$SECONDS
    say "$what ..."
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    # An interrupted set-up leaves no work behind it.
    trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        now=$SECONDS
        if [ $((now - last)) -ge 15 ]; then
            last=$now
            say "  $((now - started)) s: $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-100)"
        fi
    done
    wait "$pid" || code=$?
    trap - INT TERM
    if [ "$code" -ne 0 ]; then
        tail -n 20 "$log" >&2
        fail "$what (exit $code; the whole log: $log)" "${REMEDY:-read the lines above, mend it and run the same command again.}"
    fi
    say "  done after $((SECONDS - started)) s"
}

# find_python: the first interpreter here of version 3.11 or later.
find_python() {
    local name
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    fail "no Python 3.11 or later here" "install python3 (Debian 12 and later, Ubuntu 24.04 and later have it), or set PYTHON."
}

# hash_of FILE...: 12 hexadecimal digits of names and contents, independent of where the checkout stands.
hash_of() {
    (cd "$ROOT" && printf '%s\n' "$@" | LC_ALL=C sort -u | while read -r file; do
        printf '%s ' "$file"
        sha256sum <"$file"
    done) | sha256sum | cut -c1-12
}

# docker_build ARGUMENT...: BuildKit where the client has it, else the classic builder.
docker_build() {
    if docker buildx version >/dev/null 2>&1; then
        DOCKER_BUILDKIT=1 docker build --progress plain "$@"
    else
        DOCKER_BUILDKIT=0 docker build "$@"
    fi
}

# apt_install PACKAGE...: from the distribution, saying what; nothing when all are there.
apt_install() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "not found: ${missing[*]}" "install these packages with your system's own package manager."
    say "Installing from the distribution: ${missing[*]}"
    REMEDY="check that this machine's package sources answer (apt-get update)." \
        step "Package lists" as_root apt-get update -q
    REMEDY="check that this machine's package sources answer (apt-get update)." \
        step "Packages ${missing[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
}
