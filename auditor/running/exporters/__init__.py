"""A finished run in the formats of other tools: from findings and manifests, without torch, the model or evidence.

tables       numbers and documents, as CSV or Parquet
mlflow       a run of MLflow: metrics, parameters, tags, the report as artifacts
tensorboard  the numbers of all runs of the audit, a step per night
model_card   the `model-index` of a model card of the Hugging Face hub
"""

from auditor.running.exporters.contract import Exported, Finished, opened

__all__ = ["Exported", "Finished", "opened"]
