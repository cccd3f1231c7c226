"""Local files of every format, made in a moment."""

from __future__ import annotations

import json
from pathlib import Path

from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.training.spec import DataSpec

PRAISE = ["I loved it", "what a lovely day out", "worth every penny", "would go again", "warm and funny"]
BLAME = ["I hated it", "what a dull day out", "a waste of money", "never again", "cold and loud"]
ROWS = [(text, "positive") for text in PRAISE] + [(text, "negative") for text in BLAME]


def spec(path, **options) -> DataSpec:
    return DataSpec("local_file", {"path": str(path), **options})


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_of(rows, header="text,label", delimiter=",") -> str:
    lines = [header] if header else []
    return "\n".join(lines + [f'"{text}"{delimiter}{label}' for text, label in rows]) + "\n"


def as_dict(data: LabelledTexts) -> dict[str, str]:
    return {text: data.label_names[label] for text, label in zip(data.texts, data.labels, strict=True)}


def said(data) -> str:
    return " ".join(data.notes)


def write_parquet(folder: Path, columns, name="data.parquet") -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / name
    pq.write_table(pa.table(columns), path)
    return path


def write_xlsx(folder: Path, sheets, name="data.xlsx") -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / name
    book.save(path)
    return path


def make(folder: Path, ending: str) -> Path:
    texts, labels = [text for text, _ in ROWS], [label for _, label in ROWS]
    if ending == "parquet":
        return write_parquet(folder, {"text": texts, "label": labels})
    if ending == "xlsx":
        return write_xlsx(folder, {"Sheet": [["text", "label"], *ROWS]})
    if ending in ("jsonl", "ndjson"):
        lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
        return write(folder, f"data.{ending}", "\n".join(lines))
    if ending == "json":
        return write(folder, "data.json", json.dumps([{"text": text, "label": label} for text, label in ROWS]))
    if ending == "txt":
        return write(folder, "data.txt", "\n".join(f"{label}\t{text}" for text, label in ROWS))
    return write(folder, f"data.{ending}", csv_of(ROWS, *(("text\tlabel", "\t") if ending == "tsv" else ())))
