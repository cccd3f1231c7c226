"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called with the share done, in [0, 1]; may raise `CancelledError` to stop the work."""
