"""Models side by side: what two of them make of a text, what they make of many, and at what price."""
