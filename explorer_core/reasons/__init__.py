"""Reasons to read a text first, one file each."""
