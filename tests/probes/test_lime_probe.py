"""LIME against constructed truth, the closed form of Mardaoui & Garreau, and the `lime` package."""

import dataclasses
import hashlib
import itertools
import math
import re
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.probes.contract import Sitting
from auditor.probes.lime.design import FIRST_ROUND
from auditor.probes.lime.probe import LimeProbe
from auditor.probes.lime.surrogate import Fit, enumerate_masks, fit, fit_all, kernel, sample_masks
from auditor.probes.perturbing import STRETCH, distinct, seed_for
from auditor.records.explanations import Explanation
from auditor.records.types import Document, Failure, NotMeasurable
from tests.probes.stubs import Oracle, sigmoid

TEXTS = [
    "The film is not bad at all and the ending is quietly moving even if the middle drags a little",
    "Dull, dull, dull: a waste of two hours and nobody in the cast seems to care about any of it!",
    "I went in expecting nothing; I came out humming the songs, quoting the jokes, calling my mother.",
    "A slow burn that rewards patience, with photography so crisp you could cut yourself on the shadows.",
    "Her voice carries every scene she is in, and several in which she does not even appear on screen.",
    "What begins as satire ends as sermon; the third act forgets every joke the first two set up.",
    "Nothing here is new. Everything here is good. Sometimes that is enough, and tonight it really was.",
    "The script confuses noise with tension and volume with feeling, over and over and over again.",
    "Ten minutes shorter and it might have been a classic; as it stands it is merely very, very fine.",
    "They filmed it in one take, which is impressive, and you notice it constantly, which is not.",
    "Funny\nin places, sad in others, honest throughout: see it with someone you would like to argue with.",
    "The children are wonderful, the adults are scenery, and the dog deserves some kind of medal.",
    "No amount of lens flare can hide that the hero has nothing to want and the villain nothing to fear.",
    "A café, a letter, two brothers and a train that never comes: small means, enormous film, naïve ending.",
    "It cost $200 million and looks like it cost 50; where did the rest go, and can I have some of it?",
    "Every frame is beautiful and not one of them moves the story forward by so much as a single inch.",
    "I laughed twice (2) in 120 minutes. The second time was at the credits, out of sheer relief, really.",
    "Quiet people doing quiet things until, without warning, the whole quiet world comes apart at once.",
    "The sequel nobody asked for turns out to be the sequel everybody needed, at least on a wet Sunday.",
    "Bold, brash, a bit too long, but when the drums start and the crowd roars you forgive it everything.",
    "好 不好 一般 无聊 精彩 演员 很 棒 剧情 拖沓 配乐 出色 结局 感人",
]
LONG = " ".join(TEXTS[:2])


def feeling(text: str) -> list[float]:
    """A deterministic, non-linear classifier of two labels."""
    words = set(re.findall(r"\w+", text))
    score = sum((int(hashlib.sha256(w.encode()).hexdigest(), 16) % 200 - 100) / 60 for w in words)
    p = sigmoid(score + (1.5 if {"not", "bad"} <= words else 0) - (0.8 if {"the", "is"} <= words else 0))
    return [1 - p, p]


def one(probe: LimeProbe, model: Oracle, text: str, **more: object) -> Explanation:
    found = next(probe.measure(model, [Document("d", text, **more)], Sitting(7)))
    assert isinstance(found, Explanation)
    return found


@pytest.mark.parametrize("num_features", [6, 10, None])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_everything_equals_the_lime_package(text: str, num_features: int | None) -> None:
    from lime import lime_text

    probe = LimeProbe(n_samples=500, segmenter="lime", num_features=num_features, top_labels=2)
    ours = one(probe, Oracle(("neg", "pos"), feeling), text)
    random = np.random.RandomState(seed_for(7, Document("d", text), "lime"))
    selection = "auto" if num_features else "none"
    explainer = lime_text.LimeTextExplainer(random_state=random, feature_selection=selection)
    theirs = explainer.explain_instance(
        text,
        lambda texts: np.array([feeling(t) for t in texts]),
        labels=(0, 1),
        num_features=num_features or 999,
        num_samples=500,
    )
    assert not ours.neighbourhood.exact
    for target in ours.targets:
        label = ("neg", "pos").index(target.label)
        weights = dict(theirs.local_exp[label])
        assert {i for i, chosen in enumerate(target.selected) if chosen} == set(weights)
        assert target.weights == pytest.approx([weights.get(i, 0.0) for i in range(len(target.weights))], abs=1e-6)
        assert target.surrogate.intercept == pytest.approx(theirs.intercept[label], abs=1e-6)
    last = next(t for t in ours.targets if t.label == "pos")  # the package keeps score and prediction of the last label
    assert last.surrogate.fidelity == pytest.approx(theirs.score, abs=1e-6)
    assert last.surrogate.local_prediction == pytest.approx(theirs.local_pred[0], abs=1e-6)


def closed_form(d: int, p: int) -> tuple[float, float, float]:
    """β₀, β inside and outside of f = AND of words 1..p, n → ∞ (Mardaoui & Garreau 2021, as in the design notes)."""
    psi = [math.exp(-((1 - math.sqrt(1 - s / d)) ** 2) / (2 * 0.25**2)) for s in range(d + 1)]

    def alpha(q: int) -> float:
        return sum(psi[s] * math.prod((d - s - k) / (d - k) for k in range(q)) for s in range(1, d + 1)) / d

    a0, a1, a2 = alpha(0), alpha(1), alpha(2)
    c = (d - 1) * a0 * a2 - d * a1**2 + a0 * a1
    s0, s1 = (d - 1) * a2 + a1, -a1
    s2 = ((d - 2) * a0 * a2 - (d - 1) * a1**2 + a0 * a1) / (a1 - a2)
    s3 = (a1**2 - a0 * a2) / (a1 - a2)
    f, inside, outside = alpha(p), alpha(p), alpha(p + 1)
    total = p * inside + (d - p) * outside
    return (
        (s0 * f + s1 * total) / c,
        (s1 * f + s2 * inside + s3 * (total - inside)) / c,
        (s1 * f + s2 * outside + s3 * (total - outside)) / c,
    )


TABLE = [
    (4, 2, -0.35498005, 0.64028356, -0.07818019),
    (8, 2, -0.36887293, 0.65698146, -0.01364531),
    (8, 3, -0.45058507, 0.43641835, -0.03406595),
]


@pytest.mark.parametrize(("d", "p", "b0", "inside", "outside"), TABLE)
def test_enumeration_equals_the_closed_form(d: int, p: int, b0: float, inside: float, outside: float) -> None:
    assert closed_form(d, p) == pytest.approx((b0, inside, outside), abs=1e-8)
    masks, shares = enumerate_masks(d, 10**15)  # the share of the undisturbed text vanishes in the limit
    found = fit(masks, masks[:, :p].all(1).astype(float), kernel(masks, 25) * shares, exact=True)
    assert found.intercept == pytest.approx(b0, abs=1e-7)
    assert found.weights == pytest.approx([inside] * p + [outside] * (d - p), abs=1e-7)


@pytest.mark.parametrize(("d", "p"), [(8, 2), (12, 3)])
def test_sampling_lies_within_three_standard_errors_of_the_closed_form(d: int, p: int) -> None:
    masks = sample_masks(d, 20_000, np.random.RandomState(3))
    found = fit(masks, masks[:, :p].all(1).astype(float), kernel(masks, 25))
    _, inside, outside = closed_form(d, p)
    wanted = np.array([inside] * p + [outside] * (d - p))
    assert (np.abs(found.weights - wanted) < 3 * found.standard_errors + 1e-3 * np.abs(wanted)).all()


def test_intervals_cover_the_exact_weights_about_as_often_as_they_say() -> None:
    masks, shares = enumerate_masks(10, 400)
    model = np.random.default_rng(0).normal(size=(10, 10)) * 0.3

    def answer(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-np.einsum("ni,ij,nj->n", z, model, z)))

    exact = fit(masks, answer(masks), kernel(masks, 25) * shares, exact=True).weights
    covered = []
    for seed in range(120):
        drawn = sample_masks(10, 400, np.random.RandomState(seed))
        found = fit(drawn, answer(drawn), kernel(drawn, 25))
        covered.append(np.abs(found.weights - exact) < 1.96 * found.standard_errors)
    assert 0.90 < np.mean(covered) < 0.99


def test_enumeration_is_the_weighted_regression_over_all_masks() -> None:
    text = "one two three four five"
    ours = one(LimeProbe(n_samples=100), Oracle(("n", "p"), feeling), text)
    assert ours.neighbourhood.exact
    assert ours.neighbourhood.n_evaluations == ours.neighbourhood.n_samples == 32
    words = text.split()
    rows, values, weights = [], [], []
    for kept in itertools.product([1, 0], repeat=5):
        rows.append([1, *kept])
        values.append(
            feeling(" ".join(w for w, k in zip(words, kept, strict=True) if k))[("n", "p").index(ours.targets[0].label)]
        )
        removed = 5 - sum(kept)
        share = 0.01 if removed == 0 else 0.99 / 5 / math.comb(5, removed)
        weights.append(share * math.exp(-((1 - math.sqrt(sum(kept) / 5)) ** 2) / 0.125))
    root = np.sqrt(weights)
    beta, *_ = np.linalg.lstsq(np.array(rows) * root[:, None], np.array(values) * root, rcond=None)
    assert (ours.targets[0].surrogate.intercept, *ours.targets[0].weights) == pytest.approx(beta, abs=1e-10)
    assert set(ours.targets[0].standard_errors) == {0.0}


@pytest.mark.parametrize("n_words", [1, 2, 3, 5, 9, 14, 30])
def test_a_linear_model_gives_its_own_coefficients(n_words: int) -> None:
    words = [f"w{i}" for i in range(n_words)]
    effects = {word: (i - n_words / 2) / 40 / n_words for i, word in enumerate(words)}

    def linear(text: str) -> list[float]:
        p = 0.5 + sum(effects[w] for w in text.split())
        return [1 - p, p]

    found = one(LimeProbe(n_samples=2000, top_labels=2), Oracle(("n", "p"), linear), " ".join(words))
    target = next(t for t in found.targets if t.label == "p")
    # The penalty of the package shrinks sampled weights by about one per cent; exact ones not at all.
    exact = found.neighbourhood.exact
    wanted = [effects[w] for w in words]
    assert target.weights == pytest.approx(wanted, rel=0 if exact else 0.03, abs=1e-9 if exact else 1e-4)
    assert target.surrogate.fidelity == pytest.approx(1, abs=1e-3)


def test_each_distinct_perturbation_is_computed_once() -> None:
    model = Oracle(("n", "p"), feeling)
    found = one(LimeProbe(n_samples=1000), model, "a b c d e f g h i j k")
    around = found.neighbourhood
    assert len(model.asked) == around.n_evaluations == len(set(model.asked)) < around.n_samples == 1000


def test_documents_do_not_depend_on_their_neighbours_or_order() -> None:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS[:4])]
    probe = LimeProbe(n_samples=60, keep="all")
    together = list(probe.measure(Oracle(("n", "p"), feeling), documents, Sitting(1)))
    backwards = list(probe.measure(Oracle(("n", "p"), feeling), documents[::-1], Sitting(1)))[::-1]
    alone = [next(probe.measure(Oracle(("n", "p"), feeling), [d], Sitting(1))) for d in documents]
    assert together == backwards == alone


def test_the_reference_label_is_explained_beside_a_wrong_prediction() -> None:
    wrong = one(LimeProbe(n_samples=20), Oracle(("n", "p"), lambda _: [0.9, 0.1]), "one two", labels=("p",))
    assert [t.label for t in wrong.targets] == ["n", "p"]
    right = one(LimeProbe(n_samples=20), Oracle(("n", "p"), lambda _: [0.9, 0.1]), "one two", labels=("n",))
    assert [t.label for t in right.targets] == ["n"]


@pytest.mark.parametrize("level", [0.1, 0.3, 0.7, 0.9999])
@pytest.mark.parametrize("n_samples", [20, 300, "auto"])
def test_a_constant_model_has_weights_of_nought(level: float, n_samples: int | str) -> None:
    text = "one two three" if n_samples == 20 else LONG
    found = one(LimeProbe(n_samples=n_samples), Oracle(("n", "p"), lambda _: [level, 1 - level]), text)
    target = next(t for t in found.targets if t.label == ("n" if level > 0.5 else "p"))
    assert set(target.weights) == set(target.standard_errors) == {0.0}
    assert target.surrogate.intercept == max(level, 1 - level)
    assert target.surrogate.fidelity == 1.0


@pytest.mark.parametrize("level", [0.1, 0.3, 0.7, 0.9999])
def test_one_round_suffices_for_a_constant_model(level: float) -> None:
    model = Oracle(("n", "p"), lambda _: [level, 1 - level])
    found = one(LimeProbe(top_labels=2), model, LONG)
    around = found.neighbourhood
    assert (around.stopped, around.precision, len(model.asked)) == ("tolerance", 0.0, FIRST_ROUND)


@pytest.mark.parametrize(("text", "width"), [("one", 2.5), ("one two three", 0.3)])
def test_a_kernel_too_narrow_to_see_a_perturbation_leaves_all_weights_at_nought(text: str, width: float) -> None:
    found = one(LimeProbe(kernel_width=width), Oracle(("n", "p"), feeling), text)
    assert found.neighbourhood.exact
    assert set(found.targets[0].weights) == {0.0}
    assert found.targets[0].surrogate.intercept == found.targets[0].model_prediction


def test_chinese_is_explained_by_words_not_by_clauses() -> None:
    def answer(text: str) -> list[float]:
        p = 0.9 if "不" in text else 0.2
        return [p, 1 - p]

    found = one(LimeProbe(n_samples=600), Oracle(("neg", "pos"), answer), "这部电影一点都不好看，剧情拖沓。")
    assert found.segmenter == "words"
    assert 4 <= len(found.segments) <= 9
    strongest = max(zip(found.targets[0].weights, found.segments, strict=True), key=lambda pair: pair[0])[1]
    assert "不" in strongest.text


def test_pairs_are_switched_off_on_both_sides() -> None:
    model = Oracle(("n", "p"), lambda text: [0.3, 0.7] if "wet" in text else [0.6, 0.4])
    found = one(LimeProbe(n_samples=100), model, "it rains", pair="streets are wet")
    assert {span.field for s in found.segments for span in s.spans} == {"text", "pair"}
    assert max(zip(found.targets[0].weights, [s.text for s in found.segments], strict=True))[1] == "wet"


def test_tokens_can_be_the_segments() -> None:
    found = one(LimeProbe(n_samples=600, segmenter="tokens"), Oracle(("n", "p"), feeling), "moving pictures")
    assert [s.text for s in found.segments] == ["mov", "ing", "pic", "tur", "es"]


@pytest.mark.parametrize(
    ("text", "state", "kind"),
    [
        ("", Failure, "blank"),
        (" \n\t", Failure, "blank"),
        ("?!", NotMeasurable, "no-segments"),
        ("…", NotMeasurable, "no-segments"),
        ("* * * — !!!", NotMeasurable, "no-segments"),
        ("\u200b\u2060", NotMeasurable, "no-segments"),
    ],
)
def test_a_document_that_says_something_without_a_word_is_no_failure(text: str, state: type, kind: str) -> None:
    documents = [Document("a", "fine words"), Document("b", text), Document("c", "more words")]
    found = list(LimeProbe(n_samples=20).measure(Oracle(("n", "p"), feeling), documents, Sitting(0)))
    assert [type(f) for f in found] == [Explanation, state, Explanation]
    assert found[1].kind == kind


@pytest.mark.parametrize(("text", "segments"), [("🎬🍿", 2), ("👍🏽", 1), ("★★☆", 2), ("5 + 5", 1), ("$", 1)])
def test_emoji_and_symbols_are_switched_off_like_words(text: str, segments: int) -> None:
    found = one(LimeProbe(n_samples=20), Oracle(("n", "p"), feeling), text)
    assert len(found.segments) == segments


@pytest.mark.parametrize(("segmenter", "text"), [("words", "★"), ("sentences", "🎬🍿"), ("lime", "🎬")])
def test_what_the_chosen_segmenter_does_not_find_is_not_measurable(segmenter: Any, text: str) -> None:
    probe = LimeProbe(n_samples=20, segmenter=segmenter)
    [found] = probe.measure(Oracle(("n", "p"), feeling), [Document("a", text)], Sitting(0))
    assert found == NotMeasurable("a", "no-segments", f"cut into {segmenter}, it has nothing to switch off")


def test_answers_that_are_not_finite_are_failures() -> None:
    found = next(
        LimeProbe(n_samples=20).measure(
            Oracle(("n", "p"), lambda _: [math.nan, 0.5]), [Document("a", "b c")], Sitting(0)
        )
    )
    assert isinstance(found, Failure)
    assert found.kind == "non-finite"


WORDS = " ".join(f"word{i}" for i in range(14))


@pytest.mark.parametrize("width", [0.05, 0.2, 1, 2])
@pytest.mark.parametrize("n_samples", ["auto", 500])
def test_a_kernel_that_gives_nearly_all_masks_no_weight_leaves_numbers(width: float, n_samples: Any) -> None:
    found = one(LimeProbe(n_samples=n_samples, max_samples=600, kernel_width=width), Oracle(("n", "p"), feeling), WORDS)
    target = found.targets[0]
    assert np.isfinite(
        [*target.weights, *target.standard_errors, target.surrogate.fidelity, target.surrogate.intercept]
    ).all()


def test_what_single_words_do_is_found_with_the_narrowest_kernel() -> None:
    def answer(text: str) -> list[float]:
        return [0.2 + 0.3 * ("word3" in text.split()), 0.8 - 0.3 * ("word3" in text.split())]

    found = one(LimeProbe(max_samples=600, kernel_width=1), Oracle(("n", "p"), answer), WORDS)
    weights = dict(zip((s.text for s in found.segments), found.targets[0].weights, strict=True))
    others = [weight for word, weight in weights.items() if word != "word3"]
    assert abs(weights["word3"]) - max(map(abs, others)) > 0.25


def test_a_surrogate_that_is_not_finite_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> list[Fit]:
        return [dataclasses.replace(fit, weights=fit.weights * np.nan) for fit in fit_all(*args, **kwargs)]

    monkeypatch.setattr("auditor.probes.lime.neighbourhood.fit_all", broken)
    found = next(
        LimeProbe(n_samples=20).measure(Oracle(("n", "p"), feeling), [Document("a", "fine words")], Sitting(0))
    )
    assert isinstance(found, Failure)
    assert found.kind == "non-finite"
    assert "kernel_width" in found.message


def test_long_documents_are_explained_by_sentences() -> None:
    text = " ".join(f"Sentence number {i} says word{i} and thing{i}." for i in range(12))
    found = one(LimeProbe(n_samples=40), Oracle(("n", "p"), feeling), text)
    assert found.segmenter == "sentences"
    assert len(found.segments) == 12


def test_too_many_segments_for_the_samples_are_refused() -> None:
    probe = LimeProbe(n_samples=20, segmenter="words")
    found = next(probe.measure(Oracle(("n", "p"), feeling), [Document("a", " ".join(map(str, range(30))))], Sitting(0)))
    assert isinstance(found, Failure)
    assert "raise n_samples" in found.message


@given(st.integers(1, 30), st.integers(2, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_distinct_masks_give_all_masks_back(n_segments: int, n_samples: int, seed: int) -> None:
    masks = sample_masks(n_segments, n_samples, np.random.RandomState(seed))
    rows, inverse = distinct(masks)
    assert (rows[inverse] == masks).all()
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert rows[0].all()


def test_kernel_values_of_the_design_notes() -> None:
    masks = np.array([[i >= removed for i in range(10)] for removed in (1, 2, 5, 9, 10)])
    assert kernel(masks, 25) == pytest.approx([0.97915313, 0.91469469, 0.50343962, 0.02374565, 0.00033546], abs=1e-8)


def test_auto_stops_when_the_intervals_are_narrow_enough() -> None:
    model = Oracle(("n", "p"), feeling)
    found = one(LimeProbe(tolerance=0.2), model, LONG)
    target, around = found.targets[0], found.neighbourhood
    assert (around.stopped, around.exact, around.tolerance) == ("tolerance", False, 0.2)
    assert around.precision == pytest.approx(1.96 * max(target.standard_errors) / max(map(abs, target.weights)))
    assert around.precision <= 0.2
    assert len(model.asked) == len(set(model.asked)) == around.n_evaluations == around.n_samples < 2000


def test_auto_stops_when_the_budget_is_spent() -> None:
    found = one(LimeProbe(tolerance=1e-6, max_samples=300), Oracle(("n", "p"), feeling), LONG)
    around = found.neighbourhood
    assert (around.stopped, around.n_evaluations) == ("budget", 300)
    assert around.precision is not None
    assert around.precision > 1e-6


def test_auto_enumerates_where_the_budget_allows_it() -> None:
    found = one(LimeProbe(), Oracle(("n", "p"), feeling), "one two three four five six seven")
    around = found.neighbourhood
    assert (around.stopped, around.exact, around.n_evaluations) == ("enumerated", True, 128)


def test_auto_agrees_with_what_the_package_tends_to() -> None:
    many = one(LimeProbe(n_samples=60_000), Oracle(("n", "p"), feeling), TEXTS[0])
    auto = one(LimeProbe(tolerance=0.05), Oracle(("n", "p"), feeling), TEXTS[0])
    assert auto.neighbourhood.n_evaluations < 2001
    wanted, found = many.targets[0], auto.targets[0]
    errors = np.hypot(wanted.standard_errors, found.standard_errors)
    assert (np.abs(np.subtract(wanted.weights, found.weights)) < 4 * errors).all()
    assert found.surrogate.fidelity == pytest.approx(wanted.surrogate.fidelity, abs=0.03)
    assert found.surrogate.intercept == pytest.approx(wanted.surrogate.intercept, abs=0.02)


def test_auto_documents_do_not_depend_on_their_neighbours() -> None:
    documents = [Document(str(i), text) for i, text in enumerate(TEXTS[:3])]
    probe = LimeProbe(tolerance=0.3, max_samples=400, keep="all")
    together = list(probe.measure(Oracle(("n", "p"), feeling), documents, Sitting(1)))
    alone = [next(probe.measure(Oracle(("n", "p"), feeling), [d], Sitting(1))) for d in documents]
    assert together == alone


def test_nobody_goes_on_asking_a_model_that_answers_nonsense() -> None:
    model = Oracle(("n", "p"), lambda _: [math.nan, 0.5])
    found = next(LimeProbe().measure(model, [Document("a", LONG)], Sitting(0)))
    assert isinstance(found, Failure)
    assert len(model.asked) < 500


def test_the_next_perturbations_are_tokenised_while_the_model_computes() -> None:
    tokenised, computed = [threading.Event() for _ in range(3)], []

    class Patient(Oracle):
        def encode(self, texts):
            sequences = super().encode(texts)
            next(event for event in tokenised if not event.is_set()).set()
            return sequences

        def outputs(self, sequences, questions):
            following = min(len(computed) + 1, 2)
            assert tokenised[following].wait(timeout=30), "the next stretch is not tokenised before this is computed"
            computed.append(len(sequences))
            return super().outputs(sequences, questions)

    model = Patient(("no", "yes"), lambda text: (1 - len(text) / 200, len(text) / 200))
    documents = [Document(str(i), " ".join(f"{letter}{i}" for letter in "abcdefghijklmnop")) for i in range(3)]
    found = list(LimeProbe(n_samples=4 * STRETCH).measure(model, documents, Sitting(0)))
    assert all(isinstance(one, Explanation) for one in found)
    assert len(computed) == 3
