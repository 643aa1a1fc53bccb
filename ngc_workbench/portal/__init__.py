"""The portal: where people start sessions, ask for exports, review them, provision projects and read the audit log.

A service that the hub starts (`python -m ngc_workbench.portal`) on an origin of its own. Pages are plain HTML forms; htmx
adds what refreshes by itself. A program that asks for `application/json` gets the same in JSON.
"""

from ngc_workbench.portal.app import create_app

__all__ = ["create_app"]
