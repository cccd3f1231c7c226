"""Sources of labelled texts, one file each."""
