"""Audits of transformers models: explanations, attention and perplexity, rendered into HTML and PDF reports.

The folders are the pipeline: corpus → models → probes → records → findings → report. `auditor.audit` is the loop.
"""

__version__ = "0.1.0"
