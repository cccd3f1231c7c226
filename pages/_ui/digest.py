"""Short names of long texts, for the keys of widgets, caches and work."""

import hashlib


def short(text: str) -> str:
    """Short digest of a text, whatever characters it holds."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
