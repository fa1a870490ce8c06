"""A disk of which one call fails: every change to files goes through the calls that are counted here."""

import errno
import os

from auditor.errors import DiskError

CALLS = ("open", "write", "fsync", "replace", "mkdir")
"""Of the module `os`; pathlib uses them too."""
ALL_CALLS = (*CALLS, "rename", "unlink", "ftruncate")
"""With those of which a failure may be passed over, such as that a lock's file stays."""
KINDS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT)


class Disk:
    """Counts the calls that change the disk; lets one of them fail, before or after it was done, or all from one on."""

    def __init__(self, monkeypatch, fail_at=0, *, kind=None, for_good=False, done=False, calls=CALLS):
        self.calls, self.fail_at, self.kind, self.for_good, self.done = 0, fail_at, kind, for_good, done
        monkeypatch.setattr(os, "fsync", lambda _: None)  # slow, and of no use here but to be counted
        for name in calls:
            monkeypatch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, call):
        def wrapped(*args, **options):
            self.calls += 1
            if self.calls == self.fail_at or (self.for_good and 0 < self.fail_at < self.calls):
                kind = self.kind or KINDS[self.calls % len(KINDS)]
                if self.done:
                    call(*args, **options)
                raise OSError(kind, os.strerror(kind))
            return call(*args, **options)

        return wrapped


def attempt(monkeypatch, work, k, **how):
    """Does some work on a disk whose k-th call fails; what it raised, and how many calls there were."""
    with monkeypatch.context() as patch:
        disk = Disk(patch, k, **how)
        try:
            work()
        except DiskError as error:
            return error, disk.calls
        return None, disk.calls
