"""How many attention heads matter to the answer? Of n documents each has an effect e_i of every head, f − f without it.

    effect    ē = (1/n) Σ e_i                  with Student's 95 % interval, ē ± t_{n−1} s/√n, of each head by itself
    p         max(2 P(T_{n−1} > |ē| √n / s), 2^(1−n))       of effects that are nothing on average, corrected by Holm
                                                            1979 for the L·H heads
    matters   p < 0.05 and |ē| ≥ 0.01: more than chance, and more than nothing in the unit of the answer

2^(1−n) is the least p that n documents can give by their signs alone (sign test): effects that are all alike have s = 0
and would prove anything. Positive effects support the answer, negative ones oppose it; both matter. In log-probability
(free continuations) 0.01 is a hundredth of the probability, so that the same floor serves.

    head_ablation.mattering_share   heads that matter over L·H. It is known as well as the means are: from the heads
                                    that matter with their whole interval beyond the floor, to those whose interval
                                    reaches it
    head_ablation.agreement[…]      mean over documents of the mean over heads of Kendall's τ between the attention that
                                    a segment receives and the size of its weight by that explainer

Edge cases: one document has effects without p; no head matters then. Heads that do the same seem to do nothing, each of
them: that no head matters does not say that attention does not.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP
from auditor.findings.contract.quantity import Prospect, Quantity, Term
from auditor.findings.contract.summary import Conclusion, Setting, Summary, Whole
from auditor.findings.contract.types import Number, Pointer, Unit
from auditor.findings.statistics.corrections import holm
from auditor.findings.statistics.intervals import bootstrap_mean, estimate, student_quantile
from auditor.findings.statistics.resampling import Floats
from auditor.findings.wording.sentences import probe as title_of
from auditor.languages import N_, plural, say
from auditor.languages.numbers import count, shortest
from auditor.records.heads import COMPARED, HeadAblation

FLOOR = 0.01
"""The least mean effect, in the unit of the answer, of a head that matters."""
LEVEL = 0.05


class Head(Finding):
    """One head, over all documents."""

    layer: int
    """Zero-based, as the head."""
    head: int
    effect: float
    """What answers lose without it, mean over documents."""
    low: float | None
    high: float | None
    """95 % interval of the mean; None for one document."""
    p: float
    """Corrected by Holm for all heads."""
    agreements: dict[str, float]
    """Explainer → mean over documents of τ between the attention a segment receives and the size of its weight."""
    matters: bool


class HeadAblationFindings(Finding):
    """Which heads does the answer depend on?"""

    n_documents: int
    n_layers: int
    """Those that attend."""
    n_heads: int
    unit: Unit
    floor: float
    heads: tuple[Head, ...]
    """L·H, layer by layer."""
    share: Number
    agreements: tuple[Number, ...] = ()

    @property
    def ranked(self) -> list[Head]:
        """The heads that matter first, of these and of the others those with the largest effects."""
        return sorted(self.heads, key=lambda head: (not head.matters, -abs(head.effect)))

    @property
    def mattering(self) -> list[Head]:
        """The heads that matter, those with the largest effects first."""
        return [head for head in self.ranked if head.matters]


def _given_agreement(prospect: Prospect) -> tuple[str, ...]:
    return tuple(name for name in COMPARED if name in prospect.probes)


SHARE = Quantity(
    name="head_ablation.mattering_share",
    title=N_("Heads that matter"),
    unit="share",
    glossary=(
        Term(
            N_("Head that matters"),
            N_("An attention head without which answers change, on average over documents, by more than chance."),
        ),
    ),
)
AGREEMENT = Quantity(
    name="head_ablation.agreement",
    title=N_("Agreement of heads’ attention, {label}"),
    unit="correlation",
    low=-1.0,
    given=_given_agreement,
)


class HeadAblationSummary(Summary[HeadAblation, HeadAblationFindings]):
    """What answers lose without each head."""

    probe = "head_ablation"
    title = N_("head ablation")
    record = HeadAblation
    findings = HeadAblationFindings
    section = "head_ablation"
    order = 39
    quantities = (SHARE, AGREEMENT)
    reasons = {  # noqa: RUF012
        "no-explanation": N_("no explanation"),
        "unseen-attention": N_("the model does not show its attention"),
    }

    def summarise(self, evidence: Evidence, setting: Setting) -> Conclusion[HeadAblationFindings] | None:
        """Effects of all heads, and how many of them matter."""
        records = list(evidence.measured(self.probe, HeadAblation).values())
        if not records:
            return None
        heads = _heads(records)
        share = _share(heads, len(records))
        agreements = tuple(_agreement(records, name, setting.seed) for name in COMPARED if _taus(records, name))
        concluded = HeadAblationFindings(
            n_documents=len(records),
            n_layers=records[0].n_layers,
            n_heads=records[0].n_heads,
            unit="probability" if records[0].unit == "probability" else "log-probability",
            floor=FLOOR,
            heads=heads,
            share=share,
            agreements=agreements,
        )
        return Conclusion(concluded, (share, *agreements))

    def point(self, whole: Whole, findings: HeadAblationFindings) -> Iterator[Pointer]:
        """How many heads matter."""
        del whole
        yield Pointer(severity="note", text=how_many(findings), section=self.section)


def how_many(findings: HeadAblationFindings) -> str:
    """How many heads matter, of how many; without a full stop."""
    return plural(
        len(findings.mattering),
        "{n} of {heads} matters to the answer when it is switched off by itself",
        "{n} of {heads} matter to the answer when they are switched off one by one",
        heads=plural(len(findings.heads), "{n} head", "{n} heads"),
    )


def p_values(effects: Floats) -> Floats:
    """(H,) of effects (n, H) that are nothing on average, not corrected."""
    from scipy.special import stdtr

    n = len(effects)
    least = 2.0 ** (1 - n)
    if n < 2:
        return np.ones(effects.shape[1])
    mean, error = effects.mean(axis=0), effects.std(axis=0, ddof=1) / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean) / error)  # infinite where all documents are alike
    p: Floats = np.maximum(2 * stdtr(n - 1, -t), least)
    return np.minimum(1.0, p)


def _heads(records: Sequence[HeadAblation]) -> tuple[Head, ...]:
    effects = np.array([record.effects for record in records])  # n L·H
    n, n_heads = len(records), records[0].n_heads
    means = effects.mean(axis=0)
    halves = student_quantile(n) * effects.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else None
    corrected = holm(p_values(effects).tolist())
    taus = {name: _mean_by_head(of_name) for name in COMPARED if (of_name := _taus(records, name))}
    return tuple(
        Head(
            layer=i // n_heads,
            head=i % n_heads,
            effect=float(mean),
            low=None if halves is None else float(mean - halves[i]),
            high=None if halves is None else float(mean + halves[i]),
            p=corrected[i],
            agreements={name: of_name[i] for name, of_name in taus.items() if i in of_name},
            matters=n > 1 and corrected[i] < LEVEL and abs(float(mean)) >= FLOOR,
        )
        for i, mean in enumerate(means)
    )


def _taus(records: Sequence[HeadAblation], name: str) -> list[tuple[float | None, ...]]:
    """Of every document that has them, the τ of all heads with one explainer."""
    return [one.tau for record in records for one in record.agreements if one.probe == name]


def _mean_by_head(taus: Sequence[tuple[float | None, ...]]) -> Mapping[int, float]:
    known = ((i, [tau for tau in of_head if tau is not None]) for i, of_head in enumerate(zip(*taus, strict=True)))
    return {i: float(np.mean(values)) for i, values in known if values}


def _share(heads: Sequence[Head], n_documents: int) -> Number:
    far = [head for head in heads if head.low is not None and head.high is not None]
    surely = sum(h.matters and min(abs(h.low or 0.0), abs(h.high or 0.0)) >= FLOOR for h in far)
    maybe = sum(max(abs(h.low or 0.0), abs(h.high or 0.0)) >= FLOOR for h in far)
    protocol = say(
        "Share of the {heads} heads without which the answer to the predicted label changes by {floor} or more, mean "
        "over n documents, p < {level} by Student’s t, corrected by Holm for all heads; the interval runs from those "
        "whose own 95% interval lies wholly beyond {floor} to those whose interval reaches it",
        heads=count(len(heads)),
        floor=shortest(FLOOR),
        level=shortest(LEVEL),
    )
    value = sum(head.matters for head in heads) / len(heads)
    low, high = (surely / len(heads), maybe / len(heads)) if far else (None, None)
    return SHARE.number(estimate(value, low, high, n_documents), protocol)


def _agreement(records: Sequence[HeadAblation], name: str, seed: int) -> Number:
    known = ([tau for tau in of_document if tau is not None] for of_document in _taus(records, name))
    means = [float(np.mean(values)) for values in known if values]
    protocol = say(
        "Mean over documents of the mean over heads of Kendall’s τ-b between the attention that a segment receives and "
        "the size of its weight by {method}; {interval}",
        method=title_of(name),
        interval=say(BOOTSTRAP),
    )
    title = say(AGREEMENT.title, label=title_of(name))
    return AGREEMENT.number(bootstrap_mean(means, seed=seed, name=f"{AGREEMENT.name}.{name}"), protocol, name, title)


SUMMARY = HeadAblationSummary()
