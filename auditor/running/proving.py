"""Whether a run, or the PDF of one alone, says what was measured: everything that `auditor verify` looks at.

Of a run: sums, plan and tables (`auditor.records.verification`); findings.json by its schema, and that the manifest has
its verdict; the attachments of report.pdf, byte by byte those of the run; the numbers on its pages
(`auditor.report.page.printed`, `auditor.report.page.record`); the runs before and after it (`auditor.records.chain`).
Of a PDF: the same as far as it carries it; of one on two runs that its numbers are those of the attached
comparison.json. Torch is not needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from auditor import findings
from auditor.errors import StoreError, VerificationError
from auditor.findings import Findings
from auditor.findings.comparing import RunComparison
from auditor.findings.history import manifest_facts
from auditor.records import chain, disk, sums, verification
from auditor.records import plan as plans
from auditor.records.plan import Plan
from auditor.records.run import DOCUMENTS, PLAN, Run
from auditor.records.sums import Fault
from auditor.records.types import Document
from auditor.report.page import pdf_reading, printed, record, said, signatures
from auditor.report.page.pdf_reading import Paper
from auditor.running.context import read_evidence

PDF = "report.pdf"
FINDINGS = "findings.json"
_NO_RECORD = f"{record.FILE} is not attached: its pages are older, or the record of their numbers was taken out"


@dataclass
class Verified:
    """What came out."""

    name: str
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader should know and is no fault."""


def verify_run(run: Run, roots: Sequence[Path] = ()) -> Verified:
    """Everything that is wrong with a run.

    Args:
        run: Complete or not.
        roots: Certificates in PEM, of which one must vouch for the signature of the PDF; without any it may have none.

    Raises:
        StoreError: the manifest has a format that this version does not understand.
        DiskError: a file cannot be read.
    """
    verified = Verified(run.run_id, verification.verify(run))
    if not run.is_complete:
        return verified
    results = _findings_of(run, verified)
    _look_at_comparison(run, verified)
    if (run.path / PDF).is_file():
        _look_into(run, results, verified, roots)
    elif roots:
        verified.faults.append(Fault(PDF, "is missing, and roots of trust were given"))
    linked = chain.verify(run)
    if linked is None:
        verified.notes.append("lies outside the folder of its audit: the runs before and after it were not looked at")
    else:
        verified.faults += linked.faults
        verified.notes += linked.notes
        if linked.n_runs:
            before = "1 run before it is" if linked.n_runs == 1 else f"{linked.n_runs:,} runs before it are"
            verified.notes.append(f"{before} as later ones remember")
    return verified


def verify_pdf(path: Path, roots: Sequence[Path] = ()) -> Verified:
    """Everything that is wrong with a PDF, as far as what is attached can tell.

    Args:
        path: The PDF.
        roots: As of `verify_run`.

    Raises:
        VerificationError: it is no PDF that this program wrote, is cut off, damaged or encrypted.
        DiskError: it cannot be read.
    """
    verified = Verified(path.name)
    content = disk.read(path)
    try:
        paper = pdf_reading.read(content)
    except VerificationError as error:
        raise VerificationError(f"{path}: {error}") from error
    _look_at_signature(content, path.name, verified, roots)
    lacking = [name for name in (FINDINGS, PLAN) if name not in paper.attachments]
    if len(lacking) == 2 and sums.COMPARISON in paper.attachments:
        return _verify_comparison(paper, verified)
    if lacking:
        raise VerificationError(f"{path}: is no report of auditor: {' and '.join(lacking)} are not attached")
    results = _read(paper.attachments[FINDINGS], FINDINGS, verified)
    plan = _plan(paper.attachments[PLAN], verified)
    if results and plan:
        if (results.plan_id, results.run_id) != (plan.id, plan.run_id):
            verified.faults.append(Fault(FINDINGS, f"is of run {results.run_id}, and plan.json of {plan.run_id}"))
        faults = (*_on_pages(paper, results, plan), *_not_recorded(paper, None))
        verified.faults += [Fault(path.name, fault) for fault in faults]
        verified.notes += _told(paper, plan)
    if record.FILE not in paper.attachments:
        verified.faults.append(Fault(path.name, _NO_RECORD))
    return verified


def _verify_comparison(paper: Paper, verified: Verified) -> Verified:
    """Everything that is wrong with the PDF of `auditor diff`, as far as the attached comparison can tell."""
    comparison = _comparison(paper.attachments[sums.COMPARISON], verified)
    faults = [*_hidden(paper), *_not_recorded(paper, None)] if record.FILE in paper.attachments else [_NO_RECORD]
    if comparison:
        faults += printed.comparison_faults(paper.pages, comparison)
    verified.faults += [Fault(verified.name, fault) for fault in faults]
    verified.notes += _counted(paper)
    return verified


def _findings_of(run: Run, verified: Verified) -> Findings | None:
    """The findings of a run; the manifest's copy of verdict, numbers and checks must be theirs."""
    try:
        content = run.read_bytes(FINDINGS)
    except StoreError:
        return None  # is missing: the sums say it
    results, manifest = _read(content, FINDINGS, verified), run.manifest() or {}
    if results:
        differing = [key for key, value in manifest_facts(results).items() if manifest.get(key, value) != value]
        verified.faults += [Fault("manifest.json", f"has another {key} than findings.json") for key in differing]
    return results


def _look_at_comparison(run: Run, verified: Verified) -> None:
    """What changed since the baseline, by its schema, where the run was compared."""
    if (run.path / sums.COMPARISON).is_file():
        _comparison(disk.read(run.path / sums.COMPARISON), verified)


def _comparison(content: bytes, verified: Verified | None = None) -> RunComparison | None:
    """What changed between two runs; None where it is not as its schema says, which is a fault."""
    try:
        return RunComparison.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        problem = f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}"
        if verified:
            verified.faults.append(Fault(sums.COMPARISON, problem))
        return None


def _look_into(run: Run, results: Findings | None, verified: Verified, roots: Sequence[Path]) -> None:
    """The PDF of a run: what is attached is what lies beside it, and its pages say that."""
    content = disk.read(run.path / PDF)
    _look_at_signature(content, PDF, verified, roots)
    try:
        paper = pdf_reading.read(content)
    except VerificationError as error:
        verified.faults.append(Fault(PDF, str(error)))
        return
    for name in (FINDINGS, PLAN, *([sums.COMPARISON] if sums.COMPARISON in paper.attachments else [])):
        problem = _attachment(run.path / name, paper.attachments.get(name))
        verified.faults += [Fault(PDF, f"the attached {name} {problem}")] if problem else []
    if results:
        faults = _on_pages(paper, results, run.plan)
        if faults:  # documents are read where it matters alone
            faults = _on_pages(paper, results, run.plan, _texts(run))
        verified.faults += [Fault(PDF, fault) for fault in (*faults, *_not_recorded(paper, run))]
        verified.notes += _told(paper, run.plan)
    if record.FILE not in paper.attachments:
        verified.notes.append(f"{PDF}: {_NO_RECORD}")


def _look_at_signature(content: bytes, name: str, verified: Verified, roots: Sequence[Path]) -> None:
    """Signatures must be intact, the last cover the whole file; where there are roots, there must be one, from them."""
    if not signatures.is_signed(content):
        verified.faults += [Fault(name, "has no signature, and roots of trust were given")] if roots else []
        return
    try:
        made = signatures.verify(content, roots)
    except VerificationError as error:
        verified.faults.append(Fault(name, str(error)))
        return
    for one in made:
        clock = "by its timestamp" if one.is_timestamped else "by the clock of the signer"
        reason = f", “{one.reason}”" if one.reason else ""
        trust = "" if one.is_trusted else "; whether that name may be believed is not known: give roots with --trust"
        verified.notes.append(f"{name} is signed by {one.signer} at {one.time} ({clock}){reason}{trust}")


def _attachment(path: Path, attached: bytes | None) -> str:
    if attached is None:
        return "is missing"
    if not path.is_file() or disk.read(path) != attached:
        return "is not the one of the run"
    return ""


def _on_pages(
    paper: Paper, results: Findings, plan: Plan, documents: tuple[str, ...] = ()
) -> Iterator[str] | list[str]:
    digest = sums.sha256(paper.attachments.get(FINDINGS, b""))
    compared = _comparison(paper.attachments.get(sums.COMPARISON, b""))
    is_customised, known = bool(plan.look.templates), compared and compared.model_dump(mode="json")
    faults = printed.faults(paper.pages, results, digest, documents, comparison=known, is_customised=is_customised)
    return [*faults, *_hidden(paper)]


def _hidden(paper: Paper) -> list[str]:
    return [f"page {page}: has an annotation that may hide what is printed" for page in paper.annotated]


def _not_recorded(paper: Paper, run: Run | None) -> Iterator[str]:
    """Numbers on the pages that are not as recorded, or not as their sources say."""
    if record.FILE in paper.attachments:
        try:
            made = record.read(paper.attachments[record.FILE])
            evidence = said.rows(read_evidence(run)) if run and record.count(made).evidence else {}
            yield from record.faults(paper.pages, made, {**record.parse(paper.attachments), **evidence})
        except (StoreError, ValueError, RecursionError) as error:
            yield f"{record.FILE}: {error}"


def _told(paper: Paper, plan: Plan) -> Iterator[str]:
    if plan.look.templates:  # styles too: they may hide a part of it
        yield "drawn with templates or styles of the reader: page one was not compared text by text"
    yield from _counted(paper)


def _counted(paper: Paper) -> Iterator[str]:
    """What the record says of how many numbers; nothing where it cannot be read."""
    try:
        made = record.count(record.read(paper.attachments.get(record.FILE, b"")))
    except StoreError:
        return
    yield (
        f"{made.numbers:,} numbers on {len(paper.pages):,} pages: {made.attached:,} are those of what is attached, "
        f"{made.evidence:,} of the evidence, {made.made:,} constants or made of several, {made.in_texts:,} in texts"
    )


def _texts(run: Run) -> tuple[str, ...]:
    """The texts of the documents on one line each, as they are printed; nothing where they cannot be read."""
    try:
        rows = list(run.read(DOCUMENTS, Document))
    except StoreError:
        return ()
    texts = (part for row in rows if isinstance(row, Document) for part in (row.text, row.pair or ""))
    return tuple(" ".join(text.split()) for text in texts)


def _read(content: bytes, name: str, verified: Verified) -> Findings | None:
    try:
        return findings.read(content)
    except StoreError as error:
        verified.faults.append(Fault(name, str(error).removeprefix(f"{name}: ")))
        return None


def _plan(content: bytes, verified: Verified) -> Plan | None:
    try:
        return plans.parse(content, Path(PLAN))
    except StoreError as error:
        verified.faults.append(Fault(PLAN, str(error).removeprefix(f"{PLAN}: ")))
        return None
