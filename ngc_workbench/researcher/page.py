"""How a Bokeh figure reaches the notebook's page: as the data of its document, never as a script.

Bokeh would send scripts: its library, from an address outside or as 8 MB in an output, and a program for each
figure; Hail asks for the library as soon as it is imported. A session's page runs no script that comes from a
kernel. So this takes the place of Bokeh's own notebook hook, for Bokeh's `show` and Hail's plots too, and sends
the document's JSON as one media type of its own. The extension in `labextension/` draws it in JupyterLab.
"""

from __future__ import annotations

import sys
from typing import Any

from .errors import NgcError

MEDIA = "application/vnd.ngc.bokeh+json"
"""Media type of a figure: what `bokeh.embed.json_item` gives."""


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel."""
    shell = sys.modules.get("IPython.core.getipython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _load(*_resources: Any) -> None:
    """Bokeh or Hail asks for the library: the page has it."""


def _show_doc(figure: Any, _state: Any, notebook_handle: Any = None) -> None:
    from bokeh.embed import json_item
    from bokeh.io.notebook import publish_display_data

    if notebook_handle:
        raise NgcError(
            "A figure can't be changed after it was drawn: sessions have no live connection from page to kernel.",
            "Draw it anew; clear_output of IPython.display takes the old one away.",
        )
    publish_display_data({MEDIA: json_item(figure), "text/plain": f"[{type(figure).__name__} of Bokeh]"})


def _show_app(*_: Any, **__: Any) -> None:
    raise NgcError("Bokeh applications need a server of their own, which a session doesn't have.", "Show a figure.")


def install(bokeh_io: Any) -> None:
    """Takes the place of Bokeh's hook for Jupyter, and makes figures go to the notebook. `bokeh_io` is that module."""
    bokeh_io.install_notebook_hook("jupyter", _load, _show_doc, _show_app, overwrite=True)
    bokeh_io.output_notebook()


def show(figure: Any) -> None:
    """Draws a Bokeh figure or layout under the cell."""
    import bokeh.io

    bokeh.io.show(figure)
