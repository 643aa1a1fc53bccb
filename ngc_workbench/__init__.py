"""NGC Workbench: a secure processing environment for genomes."""

__version__ = "0.1.0"
