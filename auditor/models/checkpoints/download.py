"""Fetches a checkpoint from the hub: what says which files hold the weights first, then these and nothing else."""

import sys
from pathlib import Path

from huggingface_hub import get_session, snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from auditor import hub
from auditor.errors import ModelError
from auditor.models.checkpoints.weights import WEIGHTS, weight_names

WANTED = ("*.json", "*.txt", "*.model", "*.jinja")
"""What is fetched before it is known which files hold the weights."""


def fetch(name: str, revision: str | None, trust_remote_code: bool, offline: bool) -> tuple[Path, str]:
    """The folder of a hub id, and its commit; what is not in the cache is downloaded, unless `offline`.

    Raises:
        ModelError: It is not on the hub, or out of reach.
    """
    if not (offline or hub.is_offline()):
        return _download(name, revision, trust_remote_code)
    folder = hub.cached(name, revision)
    if folder is None:
        raise ModelError(hub.out_of_reach(name))
    return folder, folder.name


def _download(name: str, revision: str | None, trust_remote_code: bool) -> tuple[Path, str]:
    patterns = [*WANTED, "*.py"] if trust_remote_code else list(WANTED)
    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
        weights = [WEIGHTS, *weight_names(name, folder)]
        snapshot_download(name, revision=folder.name, allow_patterns=weights)
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ModelError(
            f"{name}: not found on the hub (revision {revision or 'main'}), or private: set HF_TOKEN"
        ) from error
    except _faults_of_the_network() as error:
        raise ModelError(hub.out_of_reach(name)) from error
    except ValueError as error:
        raise ModelError(f"{name}: neither a folder nor a hub id like organisation/model: {error}") from error
    return folder, folder.name


def _faults_of_the_network() -> tuple[type[Exception], ...]:
    """The exceptions of the hub's client, and of the HTTP library that it uses, whose name depends on its version."""
    library = sys.modules[type(get_session()).__module__.split(".")[0]]
    return LocalEntryNotFoundError, HfHubHTTPError, OSError, library.HTTPError
