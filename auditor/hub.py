"""The hub of models: whether it can be reached, and which of its models are in the cache on this disk.

Reachability is tested before torch is imported and within three seconds, for the hub's client may wait for minutes
where a network is cut off. Downloads of files have no such limit.

    cache/models--org--name/refs/main                       a commit
    cache/models--org--name/snapshots/<commit>/config.json  the files of that commit

`HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and the environment variables of proxies apply.
"""

import http.client
import re
import ssl
import threading
import urllib.error
import urllib.request
from pathlib import Path, PurePath

from auditor.errors import ModelError

SECONDS = 3.0
"""The time in which the hub must answer to count as reachable."""
_GATEWAY = (502, 504)
"""Statuses of a proxy that cannot reach the hub."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FOLDER = re.compile(r"models--(.+)")


def is_commit(revision: str | None) -> bool:
    """Whether a revision is the hash of a commit (40 hexadecimal digits), not a branch or a tag."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def snapshot_of(path: PurePath) -> tuple[str, str] | None:
    """Id and commit of the model in a snapshot folder of the hub's cache; None for any other path."""
    name, snapshots, commit = ("", "", "", *path.parts)[-3:]
    folder = _FOLDER.fullmatch(name)
    if folder is None or snapshots != "snapshots" or not is_commit(commit):
        return None
    return "/".join(folder[1].split("--")), commit


def out_of_reach(name: str) -> str:
    """The message for a model that is neither a folder nor in the cache, while the hub cannot be used."""
    return (
        f"{name}: there is no such folder, and the hub cannot be reached or has no such model; "
        "give the path of a local folder, or check HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE"
    )


def cached(name: str, revision: str | None) -> Path | None:
    """The folder of a model's snapshot in the cache; None where there is none.

    Raises:
        ModelError: `name` is not the id of a model.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        file = try_to_load_from_cache(name, "config.json", revision=revision)
    except ValueError as error:
        raise ModelError(f"{name}: neither a folder nor a hub id like organisation/model: {error}") from error
    return Path(file).parent if isinstance(file, str) else None


def is_offline() -> bool:
    """Whether `HF_HUB_OFFLINE` forbids requests to the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def answers(seconds: float = SECONDS) -> bool:
    """Whether the hub answers a request within `seconds`, with any status of its own.

    The request runs in a thread, for the look-up of a host name has no time limit. Where a proxy is set that only the
    hub's client can use, the answer is True without a request.
    """
    from huggingface_hub import constants

    proxies = urllib.request.getproxies()
    if "all" in proxies or any(address.startswith("socks") for address in proxies.values()):
        return True
    answered: list[bool] = []
    thread = threading.Thread(target=lambda: answered.append(_has_answered(constants.ENDPOINT, seconds)), daemon=True)
    thread.start()
    thread.join(seconds)
    return any(answered)


class _WithoutRedirects(urllib.request.HTTPRedirectHandler):
    """Raises a redirection as an HTTPError, for it is an answer."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirection is not followed."""


def _has_answered(endpoint: str, seconds: float) -> bool:
    try:
        request = urllib.request.Request(endpoint, method="HEAD", headers={"User-Agent": "auditor"})
        urllib.request.build_opener(_WithoutRedirects).open(request, timeout=seconds).close()
    except ConnectionError:
        return False
    except urllib.error.HTTPError as error:
        return error.code not in _GATEWAY
    except http.client.HTTPException:
        return True
    except urllib.error.URLError as error:
        return isinstance(error.reason, ssl.SSLError)
    except (OSError, ValueError):
        return False
    return True
