"""The commented file that `auditor init` writes."""

import json

from auditor.tasks import tasks

_MODEL, _DATA = '"path/to/model"', '"path/to/documents.jsonl"'
_TASKS = "# task = …"
TEMPLATE = f"""\
# An audit. `auditor check FILE` reads it without loading the model; `auditor run FILE` runs it.
# What is commented out is the default. Paths are relative to this file.

# title = "Audit of the model"        # the headline of the report
seed = 0                              # of everything that is drawn
# waivers = "waivers.toml"            # failures that somebody answers for until a day: `auditor help checks`

[corpus]
path = {_DATA}   # .jsonl .json .csv .tsv .parquet .arrow .txt, also in .gz .zst .zip; a folder of
                                      # the package datasets; hf://datasets/OWNER/NAME where it is installed
# encoding = "gb18030"                # of text files; default: recognised, and a guess is printed and noted
# delimiter = "semicolon"             # of CSV: comma, semicolon, tab, pipe or none; default: told from the first rows
# split = "test"                      # of a dataset in splits
# text = "text"                       # the column of the document's text
# pair = "hypothesis"                 # the column of a second sentence, where the task compares two
# label = "label"                     # the column of the reference labels, if there is one; "" for none
# label_separator = ";"               # what stands between several labels in one cell
# id = "id"                           # the column of the ids, if there is one
# metadata = ["language", "source"]   # the columns to slice by; default: all with 2 to 12 distinct values
# limit = 200                         # a seeded sample, stratified by label; default: every document

# [corpus.labels]                     # where the corpus writes labels otherwise than the model; [] for no label
# "+1" = "positive"
# "-1" = "negative"

[model]
name = {_MODEL}         # a folder or the id of a model on the hub
{_TASKS}
# revision = "main"                   # branch, tag or commit on the hub
# device = "auto"                     # cuda if there is one, else mps, else cpu
# dtype = "auto"                      # float32 on a CPU, the checkpoint's own on a GPU
# prompt = "Review: {{text}}\\nVerdict:"  # of a language model: the template around a document
# chat = true                         # of a chat model: the prompt as a user's message in its chat template
# candidates = [" good", " bad"]      # of a language model: the continuations to choose between
# lock = "audit.lock"                 # by `auditor lock`: refuse a model of which a bit is another

# Without any table here, the usual probes of the task run with their defaults.
# [probes.prediction]
# [probes.lime]
# tolerance = 0.1                     # draw until the widest interval is within this share of the largest weight …
# max_samples = 2000                  # … or so many perturbations are computed; n_samples = 1000 draws a fixed number
# limit = 50                          # documents to explain
# keep = "cards"                      # whose masks and answers stay with the evidence: or "all", "none"
# [probes.occlusion]                  # what the answer loses without each word
# [probes.attention_rollout]          # which words reach the answer by attention: no explanation by itself
# [probes.faithfulness]               # whether the explanations may be relied upon: a grade for each
# [probes.global_surrogate]           # what the model does with which word, over the whole corpus
# [probes.attention]
# [probes.head_ablation]              # not by default: what the answers lose without each attention head
# limit = 24                          # documents in which every head is switched off
# [probes.activations]                # not by default: dead units, outlier dimensions, norms layer by layer
# [probes.perplexity]
# model = "path/to/language-model"    # the reference, where the audited model is no language model
# [probes.pseudo_perplexity]          # what [probes.perplexity] is to a masked language model
# model = "path/to/masked-model"      # the reference, where the audited model is none
# variant = "within-word"             # or "original": hides one token at a time, also of a split word
# context_length = 128                # tokens seen at once; default: what the model can take

# Bounds fixed before the run. pass: the whole interval is on the right side; watch: it straddles the bound.
[checks]
# "accuracy" = {{ at_least = 0.80 }}
# "calibration_error" = {{ at_most = 0.10, required = false }}
# "explanations.reliable_share" = {{ at_least = 0.50 }}
# "macro_f1" = {{ not_worse_than_baseline_by = 0.02 }}   # also beside a bound; `auditor help checks`

[report]
# language = "en"                     # or "zh": the language of the report's own words
# sections = ["prediction", "lime"]  # which, in this order; default: all; provenance always ends the report
# reviewers = ["Ada Lovelace", {{ name = "Mary Somerville", role = "Validator" }}]  # a signature line each
# organisation = "Model risk"
# logo = "logo.png"                   # PNG or JPEG, at most 256 KB; needs organisation
# classification = "Internal"         # a marking on every page
# templates = "templates"             # a folder of your own templates and user.css
# fonts = "fonts"                     # a folder of additional .ttf, .otf or .woff2
# [report.signature]                  # sign the PDF (auditor[sign]); the passphrase is in AUDITOR_SIGNING_PASSPHRASE
# key = "reviewer.p12"                # PKCS #12, or a key in PEM and certificate = "reviewer.pem"
# visible = true                      # on a signature line of page one, with signer, time and reason

# [report.statements]                 # printed as written; what is not said here is listed as missing
# intended_purpose = "…"              # what the model is for, who uses it, and on whom
# out_of_scope = "…"                  # uses it is not made for
# owner = "…"                         # who is responsible, and how to reach them
# version_history = "…"               # versions, and what changed between them
# training_data = "…"                 # where it is from, how it was chosen, labelled and cleaned
# evaluation_data = "…"               # why this corpus, and how far it is like what the model will see
# limits = "…"                        # known limits and foreseeable misuse
# affected_groups = "…"               # people and groups that may be affected
# oversight = "…"                     # who looks at results, and who may stop the model
# monitoring = "…"                    # how it is watched after release, and what happens in an incident
# security = "…"                      # security measures
# standards = "…"                     # standards applied, in full or in part
# ethics = "…"                        # ethical considerations

[run]
# output = "reports"                  # relative to the current directory
# cache = true                        # use rows again that runs under output measured of the same; keep new ones
# cache_size = 2000                   # megabytes of them at most
# max_failures = 0.05                 # share of documents that may fail; one more stops the run
# executor = "serial"                 # one shard after the other, here; "local" in several processes; "ray" anywhere
# workers = 4                         # of "local" and "ray"; by default one for each CUDA device
# shard_timeout = 3600                # seconds for one probe of one shard, after which a worker is replaced
"""


def starter(model: str | None = None, data: str | None = None) -> str:
    """The template as TOML, with the model and the corpus filled in where they are given."""
    text = TEMPLATE.replace(_TASKS, _task_line())
    for placeholder, value in ((_MODEL, model), (_DATA, data)):
        if value is not None:
            text = text.replace(placeholder, _quoted(value), 1)
    return text


def _task_line() -> str:
    """The tasks that somebody has registered, ours first."""
    first, *others = map(_quoted, tasks())
    line = f"# task = {first}"
    return f"{line:<38}# or {' or '.join(others)}; default: what the checkpoint says"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
