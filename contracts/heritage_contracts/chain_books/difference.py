"""The first thing that does not agree, named so that somebody else can look at the same place."""

from __future__ import annotations

from heritage_sim.base import LedgerError


class DifferenceError(LedgerError):
    """Two accounts of one ledger differ.

    Parameters
    ----------
    what : str
        What was compared, in words.
    expected : object
        What it must be, recomputed.
    found : object
        What stands there.
    where : str
        File and line, block, epoch, payee: where ``found`` stands.
    """

    def __init__(self, what: str, expected: object, found: object, where: str) -> None:
        self.expected, self.found = shown(expected), shown(found)
        self.compared = what
        super().__init__(
            f"{what}: expected {self.expected}, found {self.found}",
            where,
            "One of the two was changed after it was made, or is of another version; compare with another copy.",
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to make it again in another process."""
        return DifferenceError, (self.compared, self.expected, self.found, self.where)


def require(what: str, expected: object, found: object, where: str) -> None:
    """Refuse what is found if it is not what is expected.

    Parameters
    ----------
    what : str
        What is compared.
    expected : object
        What it must be.
    found : object
        What stands there.
    where : str
        Where ``found`` stands.

    Raises
    ------
    DifferenceError
        If they are not equal.
    """
    if expected != found:
        raise DifferenceError(what, expected, found, where)


def shown(value: object) -> str:
    """Return a value as it stands in a message: bytes in hexadecimal digits."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return f"{value:,}" if type(value) is int else str(value)
