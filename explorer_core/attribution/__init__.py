"""Which words made a prediction: one file for each method, found by discovery.

A method is a module with a literal `ABOUT` (label, sentence, source, `signed`, `complete`, `unit`, `price` and, where
it does not fit every network, `needs`; `gradients` says whether each pass is walked back too), a tuple `KNOBS`,
`count_passes(n_words, knobs)` and `explain(scorer, knobs) -> Scores`. One that can explain many texts at once has
`explain_batch(batch) -> BatchScores` too, which gives the same scores sooner.
"""
