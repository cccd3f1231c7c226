"""Reading states, gates and attention out of a network, exactly and without touching it."""
