"""Runs the portal: `python -m ngc_workbench.portal`, by the hub, which gives it the JUPYTERHUB_ variables."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from ngc_workbench import settings as configuration
from ngc_workbench.audit import AuditLog
from ngc_workbench.database import Database
from ngc_workbench.errors import ConfigurationError, WorkbenchError
from ngc_workbench.portal.app import PREFIX, create_app
from ngc_workbench.portal.auth import HubAuth
from ngc_workbench.portal.hub import HubSessions

_NEEDED = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_OAUTH_CALLBACK_URL")


def main() -> int:
    """Serves until it is told to stop; the exit code says why it could not."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Each request of ours to the hub would be a line.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = configuration.load()
        missing = [name for name in _NEEDED if not os.environ.get(name)]
        if missing:
            raise ConfigurationError(
                f"The portal is started by the hub: {', '.join(missing)} are not set.", "Run `ngc-workbench up`."
            )
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", PREFIX)
        auth = HubAuth(
            secure=settings.public_scheme == "https", prefix=prefix, sign_out_url=f"{settings.public_url}/hub/logout"
        )
        app = create_app(
            settings, Database(settings.database), AuditLog(settings.control_dir / "audit"), auth=auth,
            sessions=HubSessions(os.environ["JUPYTERHUB_API_URL"]), prefix=prefix,
        )  # fmt: skip
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    # Loopback alone: the hub's proxy stands before it. It sees the proxy's address, and asks it for no other.
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings.portal_port,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
