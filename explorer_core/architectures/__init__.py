"""The model families, one file each, on Hugging Face conventions. Empty of imports: torch is slow to load."""
