"""`python -m ngc_workbench.gateway`: runs the gateway with the settings of this installation."""

from __future__ import annotations

import asyncio
import sys

from ngc_workbench import settings
from ngc_workbench.errors import WorkbenchError
from ngc_workbench.gateway.service import serve


def main() -> int:
    """Exit code: 0 when told to stop, else the error's own."""
    try:
        asyncio.run(serve(settings.load()))
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
