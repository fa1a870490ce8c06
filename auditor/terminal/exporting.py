"""`auditor export RUN --to FORMAT`: a finished run for MLflow, TensorBoard, spreadsheets, data frames, a model card."""

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.errors import EXIT_FINE, ConfigError
from auditor.terminal.conclusions import run_identity
from auditor.terminal.options import AsJson, Root, RunName
from auditor.terminal.printing import print_lines, to_json

if TYPE_CHECKING:
    from auditor.running.exporters import Exported, Finished


class Format(enum.StrEnum):
    """What a run can be exported to."""

    csv = "csv"
    parquet = "parquet"
    model_card = "model-card"
    mlflow = "mlflow"
    tensorboard = "tensorboard"


To = Annotated[Format, typer.Option("--to", help="What to write.")]
Out = Annotated[
    str | None, typer.Option("--out", metavar="WHERE", help="A folder; of MLflow also an address; of a card a file.")
]


def export(name: RunName, to: To, root: Root = Path("reports"), out: Out = None, as_json: AsJson = False) -> int:
    """Export a finished run to another tool. From what it found: needs neither the model nor torch.

    csv and parquet: numbers and documents, a table each. model-card: the model-index for a model on the hub, printed
    without --out. mlflow: a run with metrics, tags and the report. tensorboard: the numbers of all runs of the audit.
    """
    from auditor.records.store import open_run
    from auditor.running.exporters import opened

    finished = opened(open_run(name, root))
    if to is Format.model_card:
        return _card(finished, out, as_json)
    made = _exported(finished, to, _required(to, out))
    if as_json:
        print_lines(to_json({**run_identity(finished.run), "to": to, "written": list(made.written), **made.facts}))
    else:
        known = " already has this run" if made.facts.get("is_new") is False else ""
        print_lines(f"{path}{known}" for path in made.written)
    return EXIT_FINE


def _required(to: Format, out: str | None) -> str:
    if out is None:
        raise ConfigError(
            f"export --to {to}: expected --out {'FOLDER or ADDRESS' if to is Format.mlflow else 'FOLDER'}"
        )
    return out


def _exported(finished: "Finished", to: Format, out: str) -> "Exported":
    if to is Format.mlflow:
        from auditor.running.exporters import mlflow

        return mlflow.export(finished, out)
    if to is Format.tensorboard:
        from auditor.running.exporters import tensorboard

        return tensorboard.export(finished, Path(out))
    from auditor.running.exporters import tables

    return tables.export(finished, Path(out), "csv" if to is Format.csv else "parquet")


def _card(finished: "Finished", out: str | None, as_json: bool) -> int:
    from auditor.records import disk
    from auditor.running.exporters import model_card

    text = model_card.card(finished)
    if out is not None:
        disk.write(Path(out), text.encode())
    facts = {**run_identity(finished.run), "to": Format.model_card, "written": [] if out is None else [out]}
    if as_json:
        print_lines(to_json({**facts, "text": text}))
    else:
        print_lines(text.rstrip("\n") if out is None else out)
    return EXIT_FINE
