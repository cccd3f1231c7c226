"""What recording gradients costs a training: seconds of the recordings over those of the rest, in the same run."""

from __future__ import annotations

import dataclasses
import json
import statistics

from bench import _homes
from bench._row import Row
from explorer_core.training import _gradient_log, run, starters, store
from explorer_core.training.spec import TrainingSpec

N_ROUNDS = 3
STARTER_SHARE, DEFAULT_SHARE = 2.0, 10.0  # percent


def measure() -> list[Row]:
    """Share of the recordings in a starter's time, in a short run with the default number, and for a small BERT."""
    lstm = dataclasses.replace(starters.SPECS[0], name="bench", device="cpu")
    short = TrainingSpec("bench", epochs=1, device="cpu")
    bert = TrainingSpec("bench", family="bert", start="random", epochs=1, device="cpu")
    starter = recorded(lstm)
    shorts = [recorded(short) for _ in range(N_ROUNDS)]
    return [
        _row("recorder, share of the starter LSTM's training", STARTER_SHARE, [starter]),
        _row("recorder at its default, share of a one-epoch LSTM on the starter corpus", DEFAULT_SHARE, shorts),
        _row("recorder at its default, share of one epoch of a small BERT", DEFAULT_SHARE, [recorded(bert)]),
    ]


@dataclasses.dataclass(frozen=True)
class Recorded:
    """Seconds from the first step to the end of training, those of the recordings among them, and how many they are."""

    whole_s: float
    recordings_s: float
    n_recordings: int
    n_steps: int
    size_kib: float

    @property
    def share_pct(self) -> float:
        """Recordings over everything else, in percent."""
        return 100 * self.recordings_s / (self.whole_s - self.recordings_s)


def recorded(spec: TrainingSpec) -> Recorded:
    """One run through the Trainer in a store that is thrown away; its own files say what took how long."""
    with _homes.thrown_away():
        run.train(spec)
        folder = store.run_folder(spec.name)
        path = folder / _gradient_log.FILE
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        steps = [
            event["elapsed_s"]
            for event in store.read_events(folder / "progress.jsonl").events
            if event["event"] in ("start", "step", "epoch")
        ]
        took_s = [event["took_s"] for event in events if event["event"] == "record"]
        return Recorded(steps[-1] - steps[0], sum(took_s), len(took_s), store.read_status(spec.name).n_steps,
                        path.stat().st_size / 2**10)  # fmt: skip


def _row(quantity: str, bar: float, rounds: list[Recorded]) -> Row:
    """The median share over the rounds."""
    one = rounds[0]
    note = (
        f"{one.n_recordings} recordings in {one.n_steps:,} steps, {1e3 * one.recordings_s / one.n_recordings:.0f} ms "
        f"each, of {one.whole_s:.0f} s; {one.size_kib:.0f} KiB"
    )
    return Row(quantity, bar, statistics.median(each.share_pct for each in rounds), "%", note=note)
