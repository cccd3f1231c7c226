"""What the units of one layer do over a whole corpus: the kept states, unit cards, and where a pattern returns."""
