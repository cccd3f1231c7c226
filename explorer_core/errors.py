"""Errors whose message is shown to a person as it stands.

Each message says what happened, what is allowed and what to do. Anything that is not an `ExplorerError` is a bug.
"""

from __future__ import annotations


class ExplorerError(Exception):
    """Base of all errors a person is meant to read."""


class InvalidInputError(ExplorerError):
    """A text, number, name or file that cannot be used as given."""


class NotFoundError(ExplorerError):
    """A model, run, file, column or data set that is not there."""


class IncompatibleError(ExplorerError):
    """Two things that do not fit, such as a model without a recurrent layer and a view of its gates."""


class UnsafeModelError(ExplorerError):
    """A model folder that would have to run code or unpickle to load."""


class OfflineError(ExplorerError):
    """The Hugging Face Hub was asked for and cannot be reached."""


class JobError(ExplorerError):
    """A training run that cannot be started, resumed or changed in its present state."""


class CancelledError(ExplorerError):
    """Work that stopped because a person asked it to."""
