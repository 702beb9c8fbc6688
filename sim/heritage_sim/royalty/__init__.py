"""Royalty rules: how an epoch's pool becomes integer amounts of works and payees.

A rule is one file in ``heritage_sim/royalty/rules``: a class derived from `Rule` whose fields are its parameters. It is
found there by itself; nothing else has to be edited.
"""

from heritage_sim.royalty.config import OWN_KIND, RoyaltyConfig, RuleConfig, make_rule
from heritage_sim.royalty.registry import RULES
from heritage_sim.royalty.rows import largest_remainder_rows
from heritage_sim.royalty.rule import Rule, state_without_plays, statement_of
from heritage_sim.royalty.settling import settle_usage, sum_statistics

__all__ = [
    "OWN_KIND",
    "RULES",
    "RoyaltyConfig",
    "Rule",
    "RuleConfig",
    "largest_remainder_rows",
    "make_rule",
    "settle_usage",
    "state_without_plays",
    "statement_of",
    "sum_statistics",
]
