"""Judging networks over a person's own texts: reading files, verdicts kept by content, scores with intervals."""
