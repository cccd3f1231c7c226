"""The shortcut exam: a planted word surely decides, and every method is asked which word did."""
