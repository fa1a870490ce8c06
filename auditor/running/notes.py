"""What the report must say about the input of an audit, in its language: guesses, samples, what was left out."""

from collections.abc import Iterator

from auditor import corpus
from auditor.findings.wording import sentences
from auditor.languages import plural, say
from auditor.languages.numbers import count
from auditor.probes.contract import Picks
from auditor.running import label_notes
from auditor.running.preflight import Preflight
from auditor.running.probe_selection import HIDDEN_ATTENTION


def notes_on(preflight: Preflight) -> Iterator[str]:
    """Sentences on whatever a reader of the report could mistake: guessed formats, samples, other models."""
    yield from label_notes.notes_on(preflight.corpus.reading)
    yield from _on_the_file(preflight.corpus.dialect)
    yield from _on_the_documents(preflight)
    yield from _on_the_probes(preflight)
    yield from _on_cleaning(preflight)
    yield from _on_the_code(preflight)


def _on_the_file(dialect: corpus.Dialect) -> Iterator[str]:
    """Sentences on what was guessed or translated when the file was read."""
    if dialect.encoding_is_guessed:
        yield say(
            "The encoding of the corpus was guessed from its bytes: {encoding}; corpus.encoding states another.",
            encoding=dialect.encoding,
        )
    for column, classes in dialect.numbered.items():
        yield say(
            "The column {column} holds ids of classes; the names that the corpus gives them were read: {classes}.",
            column=column,
            classes=classes,
        )


def _on_the_documents(preflight: Preflight) -> Iterator[str]:
    """Sentences on how many documents were drawn, and how many are in no score."""
    n, of = len(preflight.documents), preflight.corpus.n_documents
    if n < of:
        yield plural(
            of,
            "The corpus is a seeded sample of {chosen} of {n} document, stratified by label.",
            "The corpus is a seeded sample of {chosen} of {n} documents, stratified by label.",
            chosen=count(n),
        )
    if 0 < preflight.n_labelled < n:
        yield plural(
            n - preflight.n_labelled,
            "{n} of {documents} documents has no reference label: it is in no score.",
            "{n} of {documents} documents have no reference label: they are in no score.",
            documents=count(n),
        )


def _on_the_probes(preflight: Preflight) -> Iterator[str]:
    """Sentences on probes that asked another model, were given other documents or left out; on what prompts lacked."""
    for probe in preflight.probes:
        if probe.model:
            names = {"probe": sentences.probe(probe.name), "model": preflight.references[probe.model].name}
            yield say("The {probe} probe asked the reference model {model}, not the audited one.", **names)
        if isinstance(probe, Picks) and probe.ids and probe.limit:
            yield plural(
                len(set(probe.ids)),
                "{n} document was picked by name for the {probe} probe, beside its sample.",
                "{n} documents were picked by name for the {probe} probe, beside its sample.",
                probe=sentences.probe(probe.name),
            )
    if HIDDEN_ATTENTION in preflight.left_out.values():
        yield say(
            "Attention was not measured: models of the class {architecture} do not show it.",
            architecture=preflight.checkpoint.model_class,
        )
    if "chat" in preflight.task.settings and preflight.checkpoint.has_chat_template and not preflight.config.model.chat:
        yield say("The tokenizer has a chat template, which was not applied to the prompts: chat = true does that.")


def _on_cleaning(preflight: Preflight) -> Iterator[str]:
    cleaned = sum(document.n_cleaned > 0 for document in preflight.documents)
    if cleaned:
        yield plural(
            cleaned,
            "Control characters or broken Unicode were replaced in {n} document when it was read.",
            "Control characters or broken Unicode were replaced in {n} documents when they were read.",
        )


def _on_the_code(preflight: Preflight) -> Iterator[str]:
    code, revision = preflight.checkpoint.code_sha256, preflight.checkpoint.revision
    if code and revision:
        yield say("Code that came with the model was run (revision {revision}).", revision=revision)
    elif code:
        yield say("Code that came with the model was run (SHA-256 {hash}).", hash=code)
