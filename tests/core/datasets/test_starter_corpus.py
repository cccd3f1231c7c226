"""What the starter corpus promises: enough, balanced, varied, in pairs, marked, split without leaks."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from explorer_core.api import preview_data, read_data
from explorer_core.datasets import starter
from explorer_core.datasets._splitting import letters_of
from explorer_core.training.spec import DataSpec

PHENOMENA = {
    "plain", "negation", "double_negation", "not_only", "contrast", "comparative", "expectation", "irony",
    "intensifier", "downtoner", "hypothetical", "question", "reported", "mixed", "long_build_up", "late_reversal",
}  # fmt: skip
NEAR = 0.6  # shared share of two texts' words above which a reader would call one a copy of the other
MIN_NEAR_WORDS = 7  # shorter texts share words by their nature


@pytest.fixture(scope="module")
def corpus():
    return read_data(DataSpec())


@pytest.fixture(scope="module")
def rows():
    return [json.loads(line) for line in starter.PATH.read_text(encoding="utf-8").split("\n") if line]


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.casefold())


@pytest.fixture(scope="module")
def near(corpus):
    """Pairs of rows (neither of one minimal pair) whose words overlap by more than `NEAR`, most alike first."""
    sets = [frozenset(words_of(text)) for text in corpus.texts]
    pairs = corpus.groups["pair"]
    places = defaultdict(list)
    counts = Counter(word for words in sets for word in words)
    for row, words in enumerate(sets):
        if len(words) >= MIN_NEAR_WORDS:
            # two sets that overlap by more than NEAR share one of so many of their rarest words (prefix filtering)
            for word in sorted(words, key=lambda word: (counts[word], word))[: int((1 - NEAR) * len(words)) + 1]:
                places[word].append(row)
    candidates = {(a, b) for found in places.values() for i, a in enumerate(found) for b in found[i + 1 :]}
    alike = []
    for a, b in candidates:
        if pairs[a] and pairs[a] == pairs[b]:
            continue
        overlap = len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        if overlap > NEAR:
            alike.append((overlap, a, b))
    return sorted(alike, reverse=True)


def shown(corpus, found) -> str:
    return "\n".join(f"{overlap:.2f}\n  {corpus.texts[a]}\n  {corpus.texts[b]}" for overlap, a, b in found[:15])


def test_the_reader_gives_what_the_file_says(corpus, rows):
    assert corpus.texts == tuple(row["text"] for row in rows)
    assert [corpus.label_names[label] for label in corpus.labels] == [row["label"] for row in rows]
    assert corpus.split.tolist() == [row["split"] for row in rows]
    assert corpus.groups["domain"] == tuple(row["domain"] for row in rows)
    assert corpus.label_names == ("negative", "positive")
    assert set(rows[0]) == {"id", "text", "label", "domain", "phenomenon", "pair", "rationale", "split"}
    assert len({row["id"] for row in rows}) == len(rows)


def test_nobody_can_change_what_is_shared(corpus):
    assert read_data(DataSpec()) is corpus
    with pytest.raises(ValueError, match="read-only"):
        corpus.labels[0] = 1


def test_it_is_large_enough_over_enough_domains(corpus):
    assert len(corpus) >= 1_800
    domains = Counter(corpus.groups["domain"])
    assert len(domains) >= 12
    assert min(domains.values()) >= 30, domains.most_common()[-3:]
    assert all(domains)


def test_every_named_phenomenon_is_there_in_both_classes(corpus):
    assert set(corpus.groups["phenomenon"]) == PHENOMENA
    counts = Counter(zip(corpus.groups["phenomenon"], corpus.labels.tolist(), strict=True))
    rare = {
        key: counts[key] for phenomenon in PHENOMENA for key in [(phenomenon, 0), (phenomenon, 1)] if counts[key] < 20
    }
    assert not rare


def test_it_is_balanced_as_a_whole_and_on_every_side(corpus):
    for split, tolerance in (("all", 0.02), ("train", 0.02), ("validation", 0.05), ("test", 0.05)):
        assert abs(corpus.labels[corpus.rows(split)].mean() - 0.5) <= tolerance, split


def test_the_sides_are_about_80_10_10_and_have_every_phenomenon_and_domain(corpus):
    for split, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        rows = corpus.rows(split)
        assert abs(len(rows) / len(corpus) - share) < 0.03
        assert {corpus.groups["phenomenon"][row] for row in rows} == PHENOMENA
        assert {corpus.groups["domain"][row] for row in rows} == set(corpus.groups["domain"])


@pytest.fixture(scope="module")
def pairs(corpus):
    members = defaultdict(list)
    for row, pair in enumerate(corpus.groups["pair"]):
        if pair:
            members[pair].append(row)
    return members


def test_pairs_are_two_rows_of_opposite_labels_in_one_domain_phenomenon_and_side(corpus, pairs):
    assert len(pairs) >= 700
    for pair, rows in pairs.items():
        assert len(rows) == 2, pair
        assert sorted(corpus.labels[rows]) == [0, 1], pair
        for name in ("domain", "phenomenon"):
            assert len({corpus.groups[name][row] for row in rows}) == 1, (pair, name)
        assert len(set(corpus.split[rows])) == 1, pair


def test_the_two_sides_of_a_pair_differ_by_a_small_edit(corpus, pairs):
    large = []
    for pair, (one, other) in pairs.items():
        a, b = words_of(corpus.texts[one]), words_of(corpus.texts[other])
        kept = sum(block.size for block in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks())
        n_changed = max(len(a), len(b)) - kept
        if n_changed > max(3, 0.5 * max(len(a), len(b))) or n_changed > 8:
            large.append(f"{pair} ({n_changed} words)\n  {corpus.texts[one]}\n  {corpus.texts[other]}")
    told = f"{len(large)} of {len(pairs)} pairs differ by more than a small edit:\n" + "\n".join(large[:15])
    assert len(pairs) - len(large) >= 700, told
    assert len(large) <= 0.05 * len(pairs), told


def test_enough_texts_are_long(corpus):
    lengths = np.array([len(text.split()) for text in corpus.texts])
    assert ((lengths >= 60) & (lengths <= 200)).sum() >= 150
    assert lengths.max() <= 200


def test_spans_are_words_inside_the_text_in_order(corpus):
    wrong = []
    for text, spans in zip(corpus.texts, corpus.spans, strict=True):
        last = 0
        for start, end in spans:
            inside = text[start:end]
            cuts_a_word = (start and text[start - 1].isalnum() and text[start].isalnum()) or (
                end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
            )
            if not (last <= start < end <= len(text)) or inside != inside.strip() or cuts_a_word:
                wrong.append((text, start, end))
            last = end
        if not spans:
            wrong.append((text, None, None))
    assert not wrong, f"{len(wrong)} spans: {wrong[:10]}"


def test_spans_mark_a_part_of_the_text_not_all_of_it(corpus):
    shares = [
        sum(end - start for start, end in spans) / len(text)
        for text, spans in zip(corpus.texts, corpus.spans, strict=True)
    ]
    assert np.mean(shares) < 0.45


def test_texts_are_clean(corpus):
    odd = [t for t in corpus.texts if t != t.strip() or re.search(r"[\x00-\x1f\x7f]|  |\ufffd|https?:|<[a-z/]", t)]
    assert not odd, odd[:10]


def test_no_text_comes_twice(corpus):
    counts = Counter(map(letters_of, corpus.texts))
    assert not [text for text, count in counts.items() if count > 1]


def test_few_runs_of_four_words_come_again(corpus, pairs):
    """Distinct share of all 4-grams; of a pair only one side counts, since the other repeats it on purpose."""
    second = {rows[1] for rows in pairs.values()}
    places = defaultdict(set)
    n_grams = 0
    for row, text in enumerate(corpus.texts):
        if row not in second:
            words = words_of(text)
            for start in range(len(words) - 3):
                places[" ".join(words[start : start + 4])].add(row)
                n_grams += 1
    worst = sorted(((len(found), gram) for gram, found in places.items()), reverse=True)[:15]
    assert len(places) / n_grams >= 0.95, worst
    assert worst[0][0] <= 12, worst


def test_no_opening_of_three_words_is_a_template(corpus, pairs):
    second = {rows[1] for rows in pairs.values()}
    first = [row for row in range(len(corpus)) if row not in second]
    openings = Counter(" ".join(words_of(corpus.texts[row])[:3]) for row in first)
    assert openings.most_common(1)[0][1] <= 0.01 * len(first), openings.most_common(10)


def test_texts_outside_a_pair_are_not_alike(corpus, near):
    assert len(near) <= 0.005 * len(corpus), f"{len(near)} are:\n{shown(corpus, near)}"


def test_texts_that_are_alike_are_on_the_same_side(corpus, near):
    parted = [found for found in near if corpus.split[found[1]] != corpus.split[found[2]]]
    assert not parted, f"{len(parted)} are not:\n{shown(corpus, parted)}"


def test_the_preview_tells_what_it_is():
    preview = preview_data(DataSpec())
    assert preview.columns == ()
    assert preview.n_usable == preview.n_rows >= 1_800
    assert preview.problem == ""
    assert len(preview.samples) == 3


def test_the_card_states_author_limits_and_size(rows):
    card = starter.PATH.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{len(rows):,}" in card
    for word in ("written", "licen", "limit", "rationale", "pair", "split"):
        assert word in card.casefold(), word
