"""Measured promises: `python -m bench [name ...]` prints each quantity as a ratio to a reference in the same run."""
