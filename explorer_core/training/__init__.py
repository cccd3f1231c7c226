"""Training: what to train (`spec`), doing it (`run`), doing it in the background (`jobs`), keeping it (`store`)."""
