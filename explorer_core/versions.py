"""Which versions of this project and of the libraries behind its numbers are installed."""

from __future__ import annotations

from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"
_PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pandas", "plotly", "streamlit")


def versions() -> dict[str, str | None]:
    """Version by name: python, unrolled, and the libraries; `None` for one that is not there."""
    import importlib.metadata
    import platform
    import tomllib

    found: dict[str, str | None] = {"python": platform.python_version(), "unrolled": None}
    if _PROJECT.is_file():
        found["unrolled"] = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found
