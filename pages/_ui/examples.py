"""Texts to begin with, each chosen for what it makes a network do. Written for this project."""

EXAMPLES = {
    "Late reversal": "The plot is thin and the jokes are old, but I walked home happy.",
    "Negation": "The food was not bad at all, and the waiter was never rude.",
    "Contrast": "Although the screen is gorgeous, the battery dies before lunch.",
    "Not only": "The course is not only clear, it is also a pleasure to follow.",
    "Mixed": "Lovely rooms and a terrible breakfast: I would stay again, but eat elsewhere.",
    "Plain": "A warm, funny and beautifully acted film.",
    "Expectation": "I wanted to love this jacket, and for one dry week I almost did.",
    "Longer": (
        "We booked the tour because every guide recommended it, and for the first hour I understood why. The boat was "
        "clean, the captain told good stories, and the coast was lit like a painting. Then the engine stopped. We "
        "drifted for three hours without water, shade or a word of apology, and when we finally came back the office "
        "was closed. They later offered us a free second trip. I would rather swim."
    ),
}
DEFAULT_TEXT = EXAMPLES["Late reversal"]
