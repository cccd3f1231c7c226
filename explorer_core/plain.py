"""Settings as plain values that travel as JSON, read as a person may have written them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from explorer_core.errors import InvalidInputError
from explorer_core.text import visible


def read_json(text: str, what: str) -> Any:
    """The value of a JSON text.

    Args:
        text: As it was written.
        what: The beginning of a sentence about it, such as "The settings of the lab are".

    Raises:
        InvalidInputError: If it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} not valid JSON: {str(error)[:60]}.") from error


def fields_of(plain: Any, kind: type, what: str) -> dict[str, Any]:
    """The fields of a dataclass from plain values; lists become tuples, and what is left out is not there.

    Raises:
        InvalidInputError: If it is no object, or has a field that the dataclass has not.
    """
    known = sorted(item.name for item in dataclasses.fields(kind))
    unknown = sorted(set(plain) - set(known)) if isinstance(plain, dict) else []
    if not isinstance(plain, dict) or unknown:
        named = f", not {visible(', '.join(unknown))[:60]}" if unknown else ""
        raise InvalidInputError(f"{what} a JSON object with the fields {', '.join(known)}{named}.")
    return {name: tuple(one) if isinstance(one, list) else one for name, one in plain.items()}
