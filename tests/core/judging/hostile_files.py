"""Files that nobody means well with, made in a moment: name and bytes by what is wrong with them."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
import zlib

FORMULAS = ('=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1+1")
HTML = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{7*7}}", "${7*7}", "[a](javascript:alert(1))",
        "%{y}", "\u202egnp.exe", "\x1b[31mred", "a\x07b")  # fmt: skip


def table(*cells: str, label: str = "pos") -> bytes:
    rows = [f'"{cell.replace(chr(34), chr(34) * 2)}",{label if row % 2 else "neg"}' for row, cell in enumerate(cells)]
    return ("text,label\n" + "\n".join(rows) + "\n").encode("utf-8", "surrogatepass")


def book(sheet: str, *, more: dict[str, bytes] | None = None) -> bytes:
    """A workbook written by hand, so that it may be wrong."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    pack = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{pack}/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="a" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**{key: value.encode() for key, value in parts.items()}, **(more or {})}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def row(*cells: str, number: int = 1) -> str:
    inner = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{inner}</row>'


def lying_zip(said: int) -> bytes:
    """A zip whose one part says it is smaller than it is."""
    data = bytearray(book(row("text", "label") + row("good", "pos", number=2)))
    place = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, place + 24, said)
    return bytes(data)


def parquet(columns: dict[str, list[object]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def files() -> dict[str, tuple[str, bytes]]:
    """Every file of the corpus."""
    rng = random.Random(0)
    noise = bytes(rng.randrange(256) for _ in range(4_000))
    words = table("a good film", "a bad film", "never again", "lovely")
    lines = b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n'
    found: dict[str, tuple[str, bytes]] = {}
    for ending in ("txt", "csv", "tsv", "jsonl", "json", "parquet", "xlsx"):
        found |= {
            f"empty {ending}": (f"a.{ending}", b""),
            f"blank {ending}": (f"a.{ending}", b" \n\t\n  \r\n"),
            f"noise {ending}": (f"a.{ending}", noise),
            f"nulls {ending}": (f"a.{ending}", bytes(5_000)),
            f"pickle {ending}": (f"a.{ending}", b"\x80\x04cos\nsystem\n(S'touch /tmp/x'\ntR."),
            f"gzip {ending}": (f"a.{ending}", b"\x1f\x8b" + zlib.compress(b"text,label\n" * 100)),
        }
    found |= {
        "formulas": ("a.csv", table(*FORMULAS)),
        "html": ("a.csv", table(*HTML)),
        "formulas in names": ("a.csv", b'"=1+1",label\ngood day,pos\nbad day,neg\n'),
        "huge cell": ("a.csv", table("x " * 90_000, "fine")),
        "cell beyond the limit of csv": ("a.csv", table("y" * 200_000, "fine")),
        "open quote": ("a.csv", b'text,label\n"never closed,pos\n' + b"and on,neg\n" * 50),
        "10,000 columns": ("a.csv", (",".join(f"c{n}" for n in range(10_000)) + "\n" + "x," * 9_999 + "x\n").encode()),
        "ragged rows": ("a.csv", b"text,label\n" + b"a,b,c,d,e\n" * 50),
        "only delimiters": ("a.csv", b",,,,\n" * 100),
        "same names": ("a.csv", b"text,text,text\na good,b bad,c so\nd x,e y,f z\n"),
        "null in a cell": ("a.csv", b"text,label\ngo\x00od,pos\nbad,neg\n"),
        "lone surrogates": ("a.csv", b"text,label\n\xed\xa0\x80 broken,pos\nfine here,neg\nalso fine,pos\n"),
        "broken utf-8": ("a.csv", b"text,label\ncaf\xe9 \xff\xfe,pos\nbad,neg\n" * 3),
        "utf-16 torn": ("a.csv", words.decode().encode("utf-16")[:-1]),
        "utf-32": ("a.csv", words.decode().encode("utf-32")),
        "utf-7 like": ("a.txt", b"+ADw-script+AD4-alert(1)\n+ADw-b+AD4-\n"),
        "shift_jis": ("a.csv", "text,label\n良い映画でした,pos\n悪い映画でした,neg\n".encode("shift_jis")),
        "bom twice": ("a.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + words),
        "only controls": ("a.txt", bytes(range(1, 32)) * 50),
        "zero width": ("a.txt", ("\u200b\u200d\ufeff\n" * 20).encode()),
        "line separators": ("a.txt", "one\u2028two\u2029three\u0085four\x0bfive\x0csix\n".encode()),
        "combining marks": ("a.txt", ("\u0301" * 5_000 + "\n").encode()),
        "bidi": ("a.csv", table("\u202e\u2066evil\u2069", "fine")),
        "a million short lines": ("a.txt", b"a\n" * 300_000),
        "one long line": ("a.txt", b"x" * 300_000),
        "deep lists": ("a.jsonl", b"[" * 100_000),
        "deep objects": ("a.json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        "huge number": ("a.jsonl", b'{"text": "good", "label": ' + b"9" * 5_000 + b"}\n" + lines),
        "nan and infinity": ("a.jsonl", b'{"text": "good", "label": NaN}\n{"text": "bad", "label": -Infinity}\n'),
        "numbers for texts": ("a.jsonl", b'{"text": 1, "label": 2}\n{"text": 3, "label": 4}\n' * 4),
        "lists for texts": ("a.jsonl", b'{"text": ["a"], "label": {"b": 1}}\n' * 4),
        "mostly broken lines": ("a.jsonl", b"{]\n" * 10 + lines),
        "some broken lines": ("a.jsonl", lines * 5 + b"{]\n"),
        "keys without end": ("a.jsonl", b"".join(b'{"k%d": 1, "text": "good %d"}\n' % (n, n) for n in range(300))),
        "same key twice": ("a.jsonl", b'{"text": "a b", "text": "c d"}\n' * 3),
        "surrogate escapes": ("a.jsonl", b'{"text": "\\ud800", "label": "pos"}\n' + lines),
        "null escapes": ("a.jsonl", b'{"text": "a\\u0000b", "label": "pos"}\n' + lines),
        "a string": ("a.json", b'"just a string"'),
        "a number": ("a.json", b"42"),
        "an empty list": ("a.json", b"[]"),
        "mixed list": ("a.json", json.dumps([{"text": "good"}, 3, None, {"text": "bad"}]).encode()),
        "torn parquet": ("a.parquet", parquet({"text": ["a b", "c d"]})[:-9]),
        "parquet of numbers": ("a.parquet", parquet({"x": [1, 2], "y": [3.5, None]})),
        "parquet of bytes": ("a.parquet", parquet({"text": [b"a", b"\xff"]})),
        "parquet of lists": ("a.parquet", parquet({"text": [["a"], ["b"]]})),
        "parquet without rows": ("a.parquet", parquet({"text": [], "label": []})),
        "parquet of nulls": ("a.parquet", parquet({"text": [None, None], "label": ["a", "b"]})),
        "parquet bomb": ("a.parquet", parquet({"text": ["x" * 90_000] * 4_000})),
        "no sheet": ("a.xlsx", book("")),
        "sheet with an error": ("a.xlsx", book('<row r="1"><c t="e"><v>#REF!</v></c></row>')),
        "sheet with formulas": ("a.xlsx", book(row("text", "label") + '<row r="2"><c t="str"><f>cmd|x!A1</f><v>good</v>'
                                               '</c><c t="inlineStr"><is><t>pos</t></is></c></row>')),
        "doctype": ("a.xlsx", book("", more={"xl/sharedStrings.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'})),
        "zip bomb": ("a.xlsx", book("", more={"xl/media/x.bin": bytes(400 * 2**20)})),
        "many parts": ("a.xlsx", book("", more={f"xl/x{n}": b"" for n in range(10_050)})),
        "path in a zip": ("a.xlsx", book(row("good day"), more={"../../etc/passwd": b"x"})),
        "lying zip": ("a.xlsx", lying_zip(10)),
        "torn zip": ("a.xlsx", book(row("good"))[:-40]),
        "a zip of nothing": ("a.xlsx", b"PK\x05\x06" + bytes(18)),
        "old office": ("a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600)),
        "far away cell": ("a.xlsx", book('<row r="1"><c r="XFD1" t="inlineStr"><is><t>far</t></is></c></row>')),
        "far away row": ("a.xlsx", book(row("text", "label") + row("good", "pos", number=1_048_576))),
        "html as csv": ("a.csv", b"<html><body><table><tr><td>good</td></tr></table></body></html>"),
        "program": ("a.txt", b"\x7fELF" + noise),
        "pdf": ("a.txt", b"%PDF-1.7\n" + noise),
        "an unknown ending": ("a.exe", b"MZ" + noise),
        "no ending": ("a", words),
        "two endings": ("a.csv.pkl", words),
    }  # fmt: skip
    return found
