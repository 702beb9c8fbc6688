"""The reference ledger: the contracts' rules on Python integers, the oracle that chains are held against.

Each module is one contract told again from its rules, without hashes, proofs or signatures where a rule does not
depend on them: who signed is given, what a root holds is given. Refusals bear the names of the contracts' errors.
"""

from heritage_contracts.ledgers.reference.ledger import ReferenceLedger

__all__ = ["ReferenceLedger"]
