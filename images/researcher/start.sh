#!/bin/sh
# What runs in a session: the example notebooks are put into the home where they are missing, then the server starts.
/opt/workbench/bin/python -c 'from ngc.examples import notebooks; notebooks()' ||
    echo "The example notebooks were not copied; they stand in /opt/workbench/share/notebooks." >&2
exec /opt/workbench/bin/jupyterhub-singleuser
