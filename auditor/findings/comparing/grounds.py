"""What the plans of two runs say differently: what may explain a change, and what makes a comparison false.

    refused for all numbers of a probe   another protocol: its parameters (all but `limit`), its record, the reference
                                         model that it asks; other labels, of probes that ask the audited model
    refused for numbers per token        another tokenizer of the model that the probe asks
    printed on top                       seed, data type, device, prompt, the most tokens of a text and of an answer,
                                         how the model is computed, a probe that only one run has, another sample of
                                         documents
    named as a cause                     weights, configuration and code of the model, the corpus, versions

Draws that differ (seed) are noise in both runs, not a difference between them: numbers stay comparable.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.findings.comparing.types import Circumstance
from auditor.findings.contract.quantity import Quantity
from auditor.languages import N_, say
from auditor.records.plan import Plan, PlannedModel, PlannedProbe

_HASH = 12
"""Digits of a hash that are shown."""
_SHARES_DOCUMENTS = "limit"
"""The parameter of every probe that only says how many documents it is given: pairs settle that."""
_NOTHING = "–"
_LABELS = N_("The runs have other labels.")
_ROLES = ("refusal", "caution", "cause")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What follows from two plans."""

    circumstances: tuple[Circumstance, ...]
    probes: Mapping[str, str]
    """Probe → why none of its numbers is compared."""
    per_token: Mapping[str, str]
    """Probe → why none of its numbers per token is."""

    @property
    def is_same_model(self) -> bool:
        """Whether nothing differs but which documents are asked, so that the same document gives the same row."""
        keys = [one.key for one in self.circumstances]
        return all(key.startswith("corpus.") or key.endswith(f".{_SHARES_DOCUMENTS}") for key in keys)

    @property
    def has_other_labels(self) -> bool:
        """Whether the answers are others."""
        return any(one.key == "model.labels" for one in self.circumstances)

    def refusal(self, probe: str, quantity: Quantity | None = None) -> str:
        """Why a number, or whatever else a probe gives, is not compared; empty where it is."""
        per_token = self.per_token.get(probe, "") if quantity is not None and quantity.per_token else ""
        return self.probes.get(probe, "") or per_token


def grounds(before: Plan, after: Plan) -> Grounds:
    """What two plans say differently."""
    common = [name for name in after.probes if name in before.probes]
    protocols = {name: reason for name in common if (reason := _protocol(name, before, after))}
    tokenizers = {
        name: say("The two runs tokenize the texts differently.")
        for name in common
        if _asked(name, before).tokenizer_sha256 != _asked(name, after).tokenizer_sha256
    }
    stated = [*_of_probes(before, after, protocols), *_of_settings(before, after), *_of_models(before, after)]
    stated += [*_of_corpora(before, after), *_of_versions(before, after)]
    ordered = sorted(stated, key=lambda one: _ROLES.index(one.role))
    return Grounds(tuple(ordered), protocols, tokenizers)


def _asked(probe: str, plan: Plan) -> PlannedModel:
    reference = plan.probes[probe].model
    return plan.model if reference is None else plan.references[reference]


def _protocol(name: str, before: Plan, after: Plan) -> str:
    """Why the rows of a probe say other things in either run; empty where they do not."""
    one, other = before.probes[name], after.probes[name]
    if one.record != other.record or _parameters(one) != _parameters(other):
        return say("The probe was asked with other parameters.")
    if (one.model is None) != (other.model is None):
        return say("The probe asked another kind of model.")
    if one.model is not None and _asked(name, before).weights_sha256 != _asked(name, after).weights_sha256:
        return say("The probe asked another reference model.")
    return say(_LABELS) if one.model is None and _labels(before) != _labels(after) else ""


def _parameters(probe: PlannedProbe) -> dict[str, object]:
    return {key: value for key, value in probe.parameters.items() if key != _SHARES_DOCUMENTS}


def _labels(plan: Plan) -> tuple[bool, frozenset[str]]:
    return plan.multi_label, frozenset(plan.model.labels or plan.prompt.candidates)


def _of_probes(before: Plan, after: Plan, protocols: Mapping[str, str]) -> Iterator[Circumstance]:
    for name in dict.fromkeys([*before.probes, *after.probes]):
        one, other = before.probes.get(name), after.probes.get(name)
        if one is None or other is None:
            sides = (say("asked") if one else _NOTHING, say("asked") if other else _NOTHING)
            text = say("Nothing of it is compared.")
            yield _circumstance(f"probes.{name}", N_("Probe"), sides, "caution", text, subject=name)
        elif name in protocols:
            values = {**_parameters(one), "model": one.model}, {**_parameters(other), "model": other.model}
            keys = [key for key in values[1] if values[0].get(key) != values[1].get(key)]
            written = tuple(", ".join(f"{key} = {_written(side.get(key))}" for key in keys) for side in values)
            text = say("{reason} Its numbers are not compared.", reason=protocols[name])
            yield _circumstance(f"probes.{name}", N_("Probe"), written, "refusal", text, subject=name)
        elif (limits := tuple(side.parameters.get(_SHARES_DOCUMENTS) for side in (one, other)))[0] != limits[1]:
            text, key = say("Only documents that both runs asked it about are compared."), f"probes.{name}.limit"
            yield _circumstance(
                key, N_("Most documents of"), tuple(map(_written, limits)), "caution", text, subject=name
            )


def _of_settings(before: Plan, after: Plan) -> Iterator[Circumstance]:
    rounding = say("Rounding differs; answers close to a decision boundary may change.")
    settings = (
        ("seed", N_("Seed"), say("What was drawn at random differs: more noise, but no bias.")),
        ("dtype", N_("Data type"), rounding),
        ("device", N_("Device"), rounding),
        ("prompt", N_("Prompt"), say("The model was prompted differently; that alone may change its answers.")),
        ("model.max_length", N_("Most tokens of a text"), say("The model saw more of some texts in one run.")),
        ("model.max_new_tokens", N_("Most tokens of an answer"), say("Its continuations may be longer in one run.")),
        ("model.compile", N_("Compiled"), rounding),
        ("model.device_map", N_("Device map"), rounding),
    )
    for key, title, text in settings:
        yield from _where_different(key, title, (_setting(before, key), _setting(after, key)), "caution", text)
    if _labels(before) != _labels(after):
        written = tuple(", ".join(sorted(_labels(plan)[1])) for plan in (before, after))
        yield _circumstance("model.labels", N_("Labels"), written, "refusal", say(_LABELS))


def _setting(plan: Plan, key: str) -> object:
    """A field of the plan, or behind `model.` what the configuration says of the model."""
    table, _, name = key.rpartition(".")
    if not table:
        return getattr(plan, key)
    settings = plan.configuration.get(table)
    return settings.get(name) if isinstance(settings, Mapping) else None


def _of_models(before: Plan, after: Plan) -> Iterator[Circumstance]:
    one, other = before.model, after.model
    causes = (
        ("name", N_("Model")),
        ("revision", N_("Revision")),
        ("model_class", N_("Class")),
        ("weights_sha256", N_("Weights, SHA-256")),
        ("code_sha256", N_("Code, SHA-256")),
    )
    for key, title in causes:
        yield from _where_different(f"model.{key}", title, (getattr(one, key), getattr(other, key)), "cause")
    tokenizers = one.tokenizer_sha256, other.tokenizer_sha256
    text = say("Numbers per token are not compared; bits per byte can be.")
    yield from _where_different("model.tokenizer_sha256", N_("Tokenizer, SHA-256"), tokenizers, "refusal", text)
    others = {name for name in {*one.files, *other.files} if one.files.get(name) != other.files.get(name)}
    for name in sorted(name for name in others if name.endswith("config.json")):
        sides = one.files.get(name), other.files.get(name)
        yield from _where_different(f"model.files.{name}", N_("File of the model"), sides, "cause", subject=name)


def _of_corpora(before: Plan, after: Plan) -> Iterator[Circumstance]:
    one, other = before.corpus, after.corpus
    yield from _where_different("corpus.sha256", N_("Corpus, SHA-256"), (one.sha256, other.sha256), "cause")
    sides = (one.n_documents, one.n_documents_in_file), (other.n_documents, other.n_documents_in_file)
    if sides[0] != sides[1]:
        written = tuple(say("{n} of {whole}", n=n, whole=whole) for n, whole in sides)
        text = say("Only documents that both runs have are compared.")
        yield _circumstance("corpus.n_documents", N_("Documents"), written, "caution", text)
    elif before.seed != after.seed and one.n_documents < one.n_documents_in_file:
        text = say("Other documents were drawn; only those that both runs have are compared.")
        drawn = tuple(say("drawn with seed {seed}", seed=plan.seed) for plan in (before, after))
        yield _circumstance("corpus.sample", N_("Sample of documents"), drawn, "caution", text)


def _of_versions(before: Plan, after: Plan) -> Iterator[Circumstance]:
    for name in dict.fromkeys([*before.versions, *after.versions]):
        sides = before.versions.get(name), after.versions.get(name)
        yield from _where_different(f"versions.{name}", N_("Version"), sides, "cause", subject=name)


def _where_different(
    key: str, title: str, sides: tuple[object, object], role: str, text: str = "", subject: str = ""
) -> Iterator[Circumstance]:
    if sides[0] != sides[1]:
        is_hash = "sha256" in key or ".files." in key
        written = tuple(_written(side)[:_HASH] if is_hash else _written(side) for side in sides)
        yield _circumstance(key, title, written, role, text, subject)


def _circumstance(
    key: str, title: str, sides: tuple[str, ...], role: str, text: str = "", subject: str = ""
) -> Circumstance:
    shown = say("{title} {subject}", title=say(title), subject=subject) if subject else say(title)
    before, after = sides
    return Circumstance(key=key, title=shown, before=before, after=after, role=role, text=text)


def _written(value: object) -> str:
    return _NOTHING if value is None else str(value)
