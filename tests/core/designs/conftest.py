"""Data of a few rows, and a design that is trained once for all tests of a file."""

from tests.core.training.conftest import stop_after, tiny_csv  # noqa: F401 (fixtures)
