"""Networks designed side by side: two to six of them, trained on the same rows in the same order for as many steps."""
