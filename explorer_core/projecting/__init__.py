"""Where texts lie: one state of a network for each of many texts, and two dimensions of them to look at."""
