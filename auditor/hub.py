"""The hub of models: whether it answers, and what of it lies in the cache on this disk.

Asked before torch is imported and with a limit of its own: the hub's client may wait for minutes where a network is cut
off. Only this question is short; a hub that answers it may take its time over files.

    cache/models--org--name/refs/main                       a commit
    cache/models--org--name/snapshots/<commit>/config.json  the files of that commit

`HF_HOME`, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and the variables of proxies are heeded.
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
"""A hub that has not said anything by then is taken as out of reach."""
_GATEWAY = (502, 504)
"""What somebody on the way says for a hub that he cannot reach."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FOLDER = re.compile(r"models--(.+)")


def is_commit(revision: str | None) -> bool:
    """Whether a revision says exactly which files: 40 hexadecimal digits."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def snapshot_of(path: PurePath) -> tuple[str, str] | None:
    """Id and commit of the model in a snapshot folder of the hub's cache; None for any other path."""
    name, snapshots, commit = ("", "", "", *path.parts)[-3:]
    folder = _FOLDER.fullmatch(name)
    if folder is None or snapshots != "snapshots" or not is_commit(commit):
        return None
    return "/".join(folder[1].split("--")), commit


def out_of_reach(name: str) -> str:
    """What to say of an id of which nothing is in the cache."""
    return (
        f"{name}: there is no such folder, and the hub cannot be reached or has no such model; "
        "give the path of a local folder, or check HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE"
    )


def cached(name: str, revision: str | None) -> Path | None:
    """The snapshot of a model in the cache; None where there is none.

    Raises:
        ModelError: If `name` is no id.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        file = try_to_load_from_cache(name, "config.json", revision=revision)
    except ValueError as error:
        raise ModelError(f"{name}: neither a folder nor a hub id like organisation/model: {error}") from error
    return Path(file).parent if isinstance(file, str) else None


def is_offline() -> bool:
    """Whether the environment forbids to ask the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def answers(seconds: float = SECONDS) -> bool:
    """Whether the hub says anything at all within that time; any status of its own will do.

    In a thread, since looking up a name knows no limit. A proxy that only the hub's client can use is taken to work.
    """
    from huggingface_hub import constants

    proxies = urllib.request.getproxies()
    if "all" in proxies or any(address.startswith("socks") for address in proxies.values()):
        return True
    heard: list[bool] = []
    asking = threading.Thread(target=lambda: heard.append(_has_answered(constants.ENDPOINT, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return any(heard)


class _Here(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer too."""

    def redirect_request(self, *_: object) -> None:
        """Not followed."""


def _has_answered(endpoint: str, seconds: float) -> bool:
    try:
        request = urllib.request.Request(endpoint, method="HEAD", headers={"User-Agent": "auditor"})
        urllib.request.build_opener(_Here).open(request, timeout=seconds).close()
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
