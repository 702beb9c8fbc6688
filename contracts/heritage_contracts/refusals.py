"""What a ledger refuses, by one name for each reason.

The names are those of the contracts' custom errors, and every kind of ledger refuses by them: where the chain answers
with an error's selector and where the reference ledger's own rules say no, the same `RefusalError.reason` is given.
"""

from __future__ import annotations

from heritage_sim.base import LedgerError

SENTENCES: dict[str, tuple[str, str]] = {
    "AboveCeiling": ("the final root promises more than its total", "Its poster must be asked; nothing above is paid."),
    "AlreadyCommitted": ("this commitment stands already", "Reveal it, or wait until it has lapsed."),
    "AlreadyOpen": ("the work can be paid already", ""),
    "CommitmentLapsed": ("the commitment has lapsed", "Commit again."),
    "CommitmentNotReady": ("the commitment is too young to be revealed", "Wait a minute."),
    "ContentTaken": ("a single work with this content is registered", "Register the work that is yours."),
    "EmptyBatch": ("the batch is empty", ""),
    "IsWoundUp": ("the distributor is wound up", "Posting has ended for good; claim what is due."),
    "NoConsent": ("a parent's community does not permit this derivation now", "Ask the community for its consent."),
    "NoFund": ("the payee's community has no fund, or the payee is the fund", "It stays claimable for ever."),
    "NoNotice": ("no notice was given for the payee", "Give notice first."),
    "NoRotation": ("no rotation is pending for the payee", "Request one."),
    "NoVeto": ("all members of the community asked for this rotation", "The holder has no veto against all of them."),
    "NobodyShares": ("the work shares nothing with anybody", "Register works with stems to pay them."),
    "NotCommitted": ("nothing was committed for this work by this owner", "Commit first."),
    "NotOfCommunity": (
        "the work claims a community's tradition, and its owner is no payee of it",
        "Name no community.",
    ),
    "NotPending": ("the epoch is not pending", ""),
    "NotSilent": ("the distributor is not silent long enough", "Wait; a pending epoch may still be made final."),
    "NotWoundUp": ("the distributor is not wound up", ""),
    "NothingDue": ("nothing is due", ""),
    "NothingFinal": ("no epoch is final", "Wait for the first challenge window."),
    "NothingPaid": ("a payment of nothing is none", "Pay at least one unit."),
    "NothingPending": ("no epoch is pending", "Post one."),
    "NoticeOpen": ("a notice stands for the payee and its time is not over", "Wait until it is due."),
    "ParentNotOpen": ("a parent is not stored on the chain", "Open it first."),
    "ParentsNotAscending": ("a record names a parent twice", "Name each once."),
    "PayeeHeld": (
        "the payee's money is held back while the community asks to rotate",
        "Complete the rotation, or let the holder veto it.",
    ),
    "RotationNotReady": ("the rotation's delay is not over", "Complete it then."),
    "RotationPending": ("another rotation is pending that this one may not displace", "Cancel or complete it first."),
    "ShareAboveWhole": ("a derivative share is above the whole", "Give at most 10^8 parts."),
    "StackAboveWhole": ("the work's sources are due more than the whole", "Lower the shares of derivatives."),
    "StemsDoNotSum": ("a record's stems do not sum to 10,000 basis points", "Share out the whole."),
    "TooFewSignatures": ("too few members signed", "Reach the community's threshold."),
    "TooManyAncestors": ("the work has more than 64 ancestors", "It cannot be paid along its sources."),
    "TooManyParents": ("a record names more than 16 parents", "Name at most 16."),
    "TooManyPending": ("as many epochs wait for their windows as may", "Make the oldest final first."),
    "TooManyStems": ("a record names more than 16 stems", "Name at most 16."),
    "TooManyStemsReached": ("a payment of the work would reach more than 128 stems", "It cannot be paid directly."),
    "UnknownCommunity": ("the community is not known", "Communities are those of the payees."),
    "UnknownParent": ("a record names a parent that is not registered", "Register parents before their children."),
    "UnknownPayee": ("the payee does not exist", "Payees are numbered from 0."),
    "UnknownUses": ("uses are flags of 5 bits", "Combine `Consent` flags."),
    "UnknownWork": ("the work is not registered", "Register it first."),
    "WindowOpen": ("the challenge window is open", "Finalise when it is over."),
    "WindowOver": ("the challenge window is over", "Only a pending root within its window can be disputed."),
    "WorkExists": ("the work is registered with another record", "A registration cannot be changed; give a new id."),
    "WrongEpoch": ("the epoch is not the one whose turn it is", "Post and finalise every epoch once, in order."),
    "WrongLabel": ("the consent label cannot be put down", ""),
    "WrongPayment": ("the payment cannot be made", ""),
    "WrongRecord": ("the record cannot be written", ""),
    "WrongStatement": ("the statement cannot be posted", ""),
}
"""What each name means, and what can be done; names that are not here are shown as they are."""


class RefusalError(LedgerError):
    """An intent that the ledger's rules do not admit; nothing of it was done.

    Parameters
    ----------
    reason : str
        Name of the contracts' custom error.
    where : str
        Contract and what it concerns.
    detail : str
        What exactly, where more is known than the name.
    remedy : str
        What can be done, where more is known than the name.
    """

    def __init__(self, reason: str, where: str, detail: str = "", remedy: str = "") -> None:
        sentence, usual = SENTENCES.get(reason, (reason, ""))
        what = f"{sentence}: {detail}" if detail else sentence
        super().__init__(f"{what} ({reason})" if reason in SENTENCES else what, where, remedy or usual)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        """Return how to make it again in another process."""
        return _again, (self.reason, self.what, self.where, self.remedy)


def _again(reason: str, what: str, where: str, remedy: str) -> RefusalError:
    made = RefusalError(reason, where)
    made.what, made.remedy = what, remedy
    made.args = (what, where, remedy)
    return made
