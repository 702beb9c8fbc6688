"""What a user is told when something is wrong: what, where, and the remedy.

Every error that bad input or a missing part can cause is a `HeritageError`. The command line prints its three parts and
nothing else; a traceback is only ever shown for a fault of ours.
"""

from __future__ import annotations


class HeritageError(Exception):
    """An error a user can act on.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str
        File and line, key, or part that it concerns.
    remedy : str
        What the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the parts on one line each: what, where, remedy."""
        lines = [self.what]
        if self.where:
            lines.append(f"  where:  {self.where}")
        if self.remedy:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class InputError(HeritageError):
    """A scenario, file or argument that cannot be used; nothing has been made."""

    exit_code = 2


class MissingPartError(InputError):
    """An optional part (torch, Ray, music21) is needed and not installed."""


class StoppedError(HeritageError):
    """The user stopped it (Ctrl-C); says what is kept and how to go on."""

    exit_code = 130


class ConsentError(HeritageError):
    """A use that the community's terms at that time do not permit."""


class LedgerError(HeritageError):
    """The ledger refused an intent, or its books do not balance."""


class StorageError(HeritageError):
    """Results could not be written or read back; what was finished before is kept."""


class GenerationError(HeritageError):
    """A generator could not answer a commission."""
