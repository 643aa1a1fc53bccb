# Runs as root inside a fresh image, by build.sh: fails when there is something in it that must not be.
# Arguments: lines of this machine's own certificates, none of which may stand in the image.
set -eu
bad() {
    echo "in the image: $*" >&2
    exit 1
}
[ ! -e /machine ] || bad "the build's /machine"
[ ! -s /etc/apt/sources.list ] || bad "package sources"
[ -z "$(ls -A /etc/apt/sources.list.d 2>/dev/null)" ] || bad "package sources"
[ -z "$(ls -A /usr/local/share/ca-certificates 2>/dev/null)" ] || bad "a machine's own certificate"
for line in "$@"; do
    ! grep -rqsF "$line" /etc /usr/local /usr/share/ca-certificates /opt/workbench/lib/python3*/site-packages/certifi ||
        bad "a machine's own certificate"
done
[ ! -e /etc/pip.conf ] || bad "a pip configuration"
[ ! -e /root/.config/pip ] || bad "a pip configuration"
[ -z "$(find / -xdev -type f -perm /6000)" ] || bad "a setuid program"
[ -z "$(find /opt /etc/jupyter /etc/spark /workspace -not -user root)" ] || bad "a file of somebody else than root"
/opt/workbench/bin/python - <<'PYTHON'
import importlib.util
import sys

# The control plane, and servers that would open another door out of a session.
unwanted = ["ngc_workbench", "dockerspawner", "docker", "oauthenticator", "jupyter_server_proxy", "notebook",
            "jupyter_collaboration"]
found = [name for name in unwanted if importlib.util.find_spec(name)]
missing = [name for name in ["ngc", "hail", "bokeh", "acro", "sklearn", "jupyterlab"] if not importlib.util.find_spec(name)]
if found or missing:
    sys.exit(f"in the image: {found}; missing: {missing}")
PYTHON
echo clean
