"""The tables of the README, printed from the registries; `python -m tests.readme_tables --write` renews them.

Each table stands between two marker comments, such as `<!-- families -->` and `<!-- /families -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from explorer_core import registry
from explorer_core.registry import About

README = Path(__file__).parents[1] / "README.md"
TABLES = {
    "families": ("architectures", ("Name", "Family", "What it is", "Paper")),
    "sources": ("datasets", ("Name", "Source", "What it gives")),
    "methods": ("attribution", ("Name", "Method", "What a score is", "Paper")),
    "views": ("views", ("Name", "Picture", "What it shows")),
}


def table_of(name: str) -> str:
    """One table in Markdown, in the order of its registry."""
    room, header = TABLES[name]
    lines = [header, ("---",) * len(header)]
    lines += [row_of(about, len(header)) for about in registry.describe(room).values()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def row_of(about: About, n_cells: int) -> tuple[str, ...]:
    """Name, label, sentence and paper, as many as the table has columns."""
    cells = (
        f"`{about.name}`",
        about.label,
        about.sentence,
        str(about.extra.get("paper", about.extra.get("source", ""))),
    )
    return tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in cells[:n_cells])


def printed() -> Mapping[str, str]:
    """Every table whose registry has something in it, by its marker."""
    return {name: table_of(name) for name, (room, _) in TABLES.items() if registry.describe(room)}


def updated(text: str) -> str:
    """The README with every table printed anew.

    Raises:
        ValueError: If a table's markers are missing.
    """
    for name, table in printed().items():
        text, n_places = re.subn(
            rf"(<!-- {name} -->\n).*?(\n?<!-- /{name} -->)",
            lambda match, table=table: f"{match[1]}{table}\n{match[2].lstrip()}",
            text,
            flags=re.DOTALL,
        )
        if n_places != 1:
            raise ValueError(f"README.md needs the markers <!-- {name} --> and <!-- /{name} --> exactly once.")
    return text


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        for marker, printed_table in printed().items():
            sys.stdout.write(f"<!-- {marker} -->\n{printed_table}\n<!-- /{marker} -->\n\n")
