"""`ngc`: what a researcher's notebook needs of the workbench, and no more.

    import ngc

    ngc.start()                          # Hail, sized for this session
    ngc.data()                           # what is mounted
    mt = ngc.load("dataset")             # a Hail MatrixTable, phenotypes in mt.pheno
    ngc.pfile("dataset")                 # the same for plink2
    results = ngc.association(mt, "trait", ["age", "sex"])
    ngc.show(ngc.manhattan(results))
    ngc.summary_statistics(results)      # into the outbox

Importing it is quick: Hail, pandas and Bokeh are imported by the first function that needs them. Nothing
here protects data: what protects stands outside the session.
"""

from __future__ import annotations

from .data import about, data, describe, load, pfile, phenotypes
from .errors import NgcError
from .examples import notebooks
from .kernel import prepare as _prepare
from .outbox import summary_statistics, to_outbox
from .page import in_notebook as _in_notebook
from .page import show
from .plots import components, manhattan, qq
from .session import start
from .study import association, principal_components, top

if _in_notebook():
    _prepare()

__all__ = [
    "NgcError",
    "about",
    "association",
    "components",
    "data",
    "describe",
    "load",
    "manhattan",
    "notebooks",
    "pfile",
    "phenotypes",
    "principal_components",
    "qq",
    "show",
    "start",
    "summary_statistics",
    "to_outbox",
    "top",
]
