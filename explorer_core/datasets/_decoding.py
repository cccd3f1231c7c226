"""From the bytes of a file to its text: which encoding, and whether it is text at all."""

from __future__ import annotations

import codecs

from explorer_core.errors import InvalidInputError

ENCODINGS = (
    "utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859-15", "koi8-r",
    "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_FORMATS = (
    (b"PK\x03\x04", "a zip or Office file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls, .doc)"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)
_CONTROL = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b")  # escape belongs to ISO-2022
_SAMPLE = 256 * 1024  # bytes the encoding is guessed from
_MAX_CONTROL_SHARE = 0.005


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file and a sentence on its encoding.

    A mark at the beginning decides, else UTF-8 is tried, else the encoding is guessed with charset-normalizer.

    Args:
        data: All bytes of the file.
        encoding: One of `ENCODINGS`, when a person knows it.

    Raises:
        InvalidInputError: If the bytes are no text, or not text in the chosen encoding.
    """
    if encoding is not None:
        return _decode_as(data, encoding)
    for beginning, what in _FORMATS:
        if data.startswith(beginning):
            raise InvalidInputError(f"This is {what}, not text. Give the file its right ending, or save it as CSV.")
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _unmarked_utf16(data)
    if marked:
        try:
            return _check(data.decode(marked)), f"Read as {marked.removesuffix('-sig').upper()}."
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"The file begins like {marked.removesuffix('-sig').upper()} but is not. Save it again as UTF-8."
            ) from error
    try:
        return _check(data.decode("utf-8")), "Read as UTF-8."
    except UnicodeDecodeError:
        pass
    if len(data.translate(None, _CONTROL)) < len(data) * (1 - _MAX_CONTROL_SHARE) or b"\x00" in data:
        raise _no_text()
    text = data.decode("utf-8", errors="replace")
    n_broken = text.count("\ufffd")
    if n_broken * 10 <= len(text) - len(text.encode("ascii", errors="ignore")):
        return text, f"Read as UTF-8; {n_broken:,} characters are broken and stand as \ufffd."
    return _decode_guessed(data)


def _decode_as(data: bytes, encoding: str) -> tuple[str, str]:
    """The text in the encoding a person chose."""
    if encoding not in ENCODINGS:
        raise InvalidInputError(f"There is no encoding {str(encoding)[:60]!r}; allowed: {', '.join(ENCODINGS)}.")
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return _check(data.decode(name)), f"Read as {encoding.upper()}, as chosen."
    except UnicodeError as error:
        raise InvalidInputError(
            f"The file is not {encoding.upper()} text. Leave the encoding to be found, or choose another."
        ) from error


def find_encoding(sample: bytes, *, is_whole: bool) -> str:
    """The encoding of a file by its first bytes, as `decode` would find it.

    Args:
        sample: Its beginning.
        is_whole: Whether that is all of it; else its last character may be torn.

    Raises:
        InvalidInputError: If the bytes are no text.
    """
    for beginning, what in _FORMATS:
        if sample.startswith(beginning):
            raise InvalidInputError(f"This is {what}, not text. Give the file its right ending, or save it as CSV.")
    even = sample if is_whole else sample[: len(sample) // 4 * 4]
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None) or _unmarked_utf16(even)
    if marked:
        return marked
    try:
        _check(codecs.getincrementaldecoder("utf-8")().decode(sample, final=is_whole))
        return "utf-8"
    except UnicodeDecodeError:
        lines = sample if is_whole else sample.rpartition(b"\n")[0] or sample  # no character is torn at a line's end
        return decode(lines)[1].removeprefix("Read as ").partition(",")[0].partition(";")[0].rstrip(".").lower()


def _decode_guessed(data: bytes) -> tuple[str, str]:
    """The text in the likeliest encoding that is not UTF-8."""
    from charset_normalizer import from_bytes

    allowed = [name for name in ENCODINGS if not name.startswith("utf")]
    found = from_bytes(data[:_SAMPLE], cp_isolation=allowed, enable_fallback=False)
    best = found.best()
    names = [best.encoding, *(name for name in ENCODINGS if name in best.could_be_from_charset)] if best else []
    if best and "cp1252" in names:
        names.insert(0, "cp1252")  # the same text in either: call it by the common name
    for name in names:
        try:
            text = _check(data.decode(name))
        except UnicodeDecodeError:
            continue
        return text, f"Read as {name.upper()}, which is a guess. If letters look wrong, save the file as UTF-8."
    raise InvalidInputError("The encoding of the file was not recognised. Save it as UTF-8 and try again.")


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: Latin text has a zero in every second byte."""
    sample = data[:4096]
    half = len(sample) // 2
    if half < 2 or len(data) % 2:
        return None
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[offset::2].count(0) > 0.4 * half and sample[1 - offset :: 2].count(0) < 0.05 * half:
            return name
    return None


def _check(text: str) -> str:
    """The text, unless it holds what no text holds."""
    if "\x00" in text:
        raise InvalidInputError(
            "The file holds null bytes, so it is not plain text, or it is damaged. Save it again as UTF-8 text."
        )
    encoded = text.encode("utf-8", errors="replace")
    n_control = len(encoded) - len(encoded.translate(None, _CONTROL))
    if n_control > max(2, _MAX_CONTROL_SHARE * len(text)):
        raise _no_text()
    return text


def _no_text() -> InvalidInputError:
    return InvalidInputError(
        "The file is not text: it holds binary data. TXT, CSV, TSV and JSONL files are text; "
        "Parquet and XLSX files need their own ending."
    )
