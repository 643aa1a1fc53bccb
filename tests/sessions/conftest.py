"""Fixtures of `tests.sites`, for this folder."""

from tests.sites import enter, here, paper, site  # noqa: F401  (fixtures)
