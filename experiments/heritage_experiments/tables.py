"""The tables of a run: their columns and types stand here and nowhere else.

Shares of communities in the daily table are columns ``plays_community_<i>``, as many as the scenario has communities.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heritage_sim.base import TALLY

if TYPE_CHECKING:
    import pyarrow as pa

DONE_MARK = "outcomes"
"""The table whose part is written last and marks a replication as done."""

TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "outcomes": (
        ("cell", "string"),
        ("arm", "string"),
        ("rule", "string"),
        ("replication", "int32"),
        ("name", "string"),
        ("value", "double"),
        ("unit", "string"),
        ("n", "int64"),
    ),
    "payouts": (
        ("cell", "string"),
        ("replication", "int32"),
        ("epoch", "int32"),
        ("rule", "string"),
        ("shadow", "bool"),
        ("payee_id", "int32"),
        ("units", "int64"),
    ),
    "payees": (("payee_id", "int32"), ("name", "string"), ("kind", "string"), ("community", "int32")),
    "epochs": (
        ("cell", "string"),
        ("replication", "int32"),
        ("epoch", "int32"),
        ("pool_units", "int64"),
        ("statement_units", "int64"),
        ("deposited_units", "int64"),
        ("claimed_units", "int64"),
        ("unclaimed_units", "int64"),
        ("payment_cost_units", "int64"),
        ("ready_s", "int64"),
        ("posted_s", "int64"),
        ("withdrawable_s", "int64"),
        ("gas", "int64"),
        ("claim_gas", "int64"),
        ("root", "string"),
        ("ledger", "string"),
    ),
    "settlement": (
        ("cell", "string"),
        ("replication", "int32"),
        ("epoch", "int32"),
        ("day", "int32"),
        ("units", "int64"),
        ("payments", "double"),
        ("days_to_withdrawable", "double"),
        ("days_to_paid", "double"),
        ("days_observed", "double"),
        ("usage_days", "double"),
        ("report_days", "double"),
        ("matching_days", "double"),
        ("cash_in_days", "double"),
        ("statement_days", "double"),
        ("settlement_days", "double"),
        ("cash_out_days", "double"),
        ("trapped", "bool"),
    ),
    "licences": (
        ("cell", "string"),
        ("replication", "int32"),
        ("day", "int32"),
        ("creator", "int32"),
        ("source_work", "int32"),
        ("community", "int32"),
        ("units", "int64"),
    ),
    "commissions": (
        ("cell", "string"),
        ("replication", "int32"),
        ("day", "int32"),
        ("creator", "int32"),
        ("tradition", "string"),
        ("source_work", "int32"),
        ("source_sha256", "string"),
        ("take", "int32"),
        ("intent", "string"),
        ("fate", "string"),
    ),
    "communities": (
        ("cell", "string"),
        ("replication", "int32"),
        ("settled_epochs", "int32"),
        ("community", "int32"),
        ("may_train", "bool"),
        ("may_derive", "bool"),
        ("may_perform", "bool"),
        ("may_sell", "bool"),
        ("may_outside", "bool"),
        ("strictness", "double"),
        ("share_bps", "int64"),
        ("bearers", "double"),
    ),
    "daily": (
        ("cell", "string"),
        ("replication", "int32"),
        ("day", "int32"),
        *((name, "int64") for name in TALLY),
        ("plays_archive", "int64"),
        ("plays_human", "int64"),
        ("plays_generated", "int64"),
    ),
    "sessions": (
        ("cell", "string"),
        ("replication", "int32"),
        ("listener", "int64"),
        ("day", "int32"),
        ("session", "int32"),
        ("start_s", "double"),
        ("device", "int32"),
        ("familiarity", "double"),
        ("home", "int32"),
        ("prior_sessions", "int64"),
        ("prior_mean_s", "double"),
        ("slates", "int32"),
        ("plays", "int32"),
        ("seconds", "double"),
        ("abandoned", "bool"),
        ("synthetic", "bool"),
    ),
    "engagement": (
        ("cell", "string"),
        ("replication", "int32"),
        ("name", "string"),
        ("value", "double"),
        ("unit", "string"),
        ("per", "string"),
        ("n", "int64"),
        ("low", "double"),
        ("high", "double"),
        ("baseline", "double"),
        ("against", "string"),
        ("num_excluded", "int64"),
    ),
    "works": (
        ("cell", "string"),
        ("replication", "int32"),
        ("work_id", "int32"),
        ("tradition", "string"),
        ("community", "int32"),
        ("creator", "int32"),
        ("origin", "string"),
        ("synthetic", "bool"),
        ("consistency", "float"),
        ("day", "int32"),
        ("plays", "int64"),
        ("earned_units", "int64"),
    ),
}
_PER_COMMUNITY = re.compile(r"^plays_community_\d+$")


def arrow_table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """Return columns as a typed table; a value that is not a sequence stands for every row.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    columns : mapping of str to array or scalar
        Values by column.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    ValueError
        If a column is missing or not among the table's own.
    """
    import numpy as np
    import pyarrow as pa

    wanted = dict(TABLES[name])
    if name == "daily":
        wanted |= {c: "int64" for c in columns if _PER_COMMUNITY.match(c)}
    if set(columns) != set(wanted):
        raise ValueError(f"table {name}: columns {sorted(set(columns) ^ set(wanted))} are missing or unknown")
    lengths = {len(v) for v in columns.values() if isinstance(v, np.ndarray | list | tuple)}
    if len(lengths) > 1:
        raise ValueError(f"table {name}: columns of different lengths {sorted(lengths)}")
    rows = lengths.pop() if lengths else 1
    types = {"string": pa.string(), "bool": pa.bool_(), "float": pa.float32(), "double": pa.float64()}
    types |= {"int32": pa.int32(), "int64": pa.int64()}
    arrays = []
    for column, type_name in wanted.items():
        values = columns[column]
        if not isinstance(values, np.ndarray | list | tuple):
            values = [values] * rows
        arrays.append(pa.array(values, type=types[type_name]))
    return pa.Table.from_arrays(arrays, names=list(wanted))
