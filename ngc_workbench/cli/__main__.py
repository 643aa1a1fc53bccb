"""`python -m ngc_workbench.cli`."""

from ngc_workbench.cli import main

main()
