"""Reading an export line by line: its form, and what its lines say of one another."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn, cast

from heritage_contracts.export.lines import PUBLIC, canonical
from heritage_contracts.export.shapes import HEADERS, LINES, fault_of


class Reader:
    """Takes an export's lines in order and says of each what is wrong with it, in words.

    Attributes
    ----------
    form : str
        ``public`` or ``auditor``; empty before the header.
    counts : dict of str to int
        Lines of each kind so far, the header left out.
    """

    def __init__(self) -> None:
        self.form = ""
        self.counts: dict[str, int] = {}
        self._header: dict[str, Any] = {}
        self._seen: dict[str, set[Any]] = {"payee": set(), "epoch": set(), "work": set(), "cell": set()}
        self._kept_back = 0
        self._table: list[dict[str, Any]] = []
        self._relations: dict[str, Callable[[dict[str, Any]], str]] = {
            "payee": self._payee,
            "epoch": self._epoch,
            "cell": self._cell,
            "amount": self._amount,
            "work": self._work,
            "payment": self._payment,
            "claim": self._claim,
        }

    def read(self, raw: bytes) -> str:
        """Return what is wrong with the next line; empty where nothing is."""
        try:
            parsed: Any = json.loads(raw, parse_float=_no_float, parse_constant=_no_float)
        except ValueError as error:
            return f"it is not JSON without fractions ({error})"
        if not isinstance(parsed, dict):
            return "it is not a JSON object"
        line = cast("dict[str, Any]", parsed)
        if canonical(line) != raw:
            return "it is not in its canonical form: sorted keys, no spaces, a line feed"
        return self._read_line(line) if self.form else self._read_header(line)

    def end(self) -> str:
        """Return what is wrong with the export as a whole after its last line; empty where nothing is."""
        if not self.form:
            return "there is no header"
        if fault := self._close_table():
            return fault
        if self.counts != self._header["lines"]:
            return f"the header speaks of lines {self._header['lines']}, there are {self.counts}"
        if self.form == PUBLIC and self._kept_back != self._header["cells_kept_back"]:
            return (
                f"the header speaks of {self._header['cells_kept_back']} cells kept back, there are {self._kept_back}"
            )
        return ""

    def _read_header(self, line: dict[str, Any]) -> str:
        form = line.get("form")
        if line.get("line") != "header" or form not in HEADERS:
            return f"it is not the header of a form that is known: {', '.join(HEADERS)}"
        fault = fault_of(line, HEADERS[form])
        if not fault and line["lines"].keys() != LINES[form].keys():
            fault = f"a {form} export has lines {', '.join(LINES[form])}"
        if not fault:
            self.form, self._header = form, line
            self.counts = dict.fromkeys(LINES[form], 0)
        return fault

    def _read_line(self, line: dict[str, Any]) -> str:
        kind, kinds = line.get("line"), list(LINES[self.form])
        if kind not in kinds:
            return f"a {self.form} export has no line {kind!r}"
        later = [other for other in kinds[kinds.index(kind) + 1 :] if self.counts[other]]
        if later:
            return f"a line {kind!r} comes after a line {later[0]!r}"
        if fault := fault_of(line, LINES[self.form][kind]):
            return fault
        self.counts[kind] += 1
        relation = self._relations.get(kind)
        return relation(line) if relation else ""

    # ---- what a line says of others ------------------------------------------------------------------------------

    def _new(self, kind: str, value: Any) -> str:
        if value in self._seen[kind]:
            return f"{kind} {value} comes a second time"
        self._seen[kind].add(value)
        return ""

    def _known(self, kind: str, value: Any) -> str:
        return "" if value in self._seen[kind] else f"there is no {kind} {value} before it"

    def _payee(self, line: dict[str, Any]) -> str:
        return self._new("payee", line.get("payee", line["payee_id"]))

    def _epoch(self, line: dict[str, Any]) -> str:
        return self._new("epoch", line["epoch"])

    def _amount(self, line: dict[str, Any]) -> str:
        return self._known("epoch", line["epoch"]) or self._known("payee", line["payee"])

    def _claim(self, line: dict[str, Any]) -> str:
        return self._known("payee", line["payee"])

    def _work(self, line: dict[str, Any]) -> str:
        unknown = (self._known("work", parent) for parent in line["parents"])
        return next(filter(None, unknown), "") or self._new("work", line["work"])

    def _payment(self, line: dict[str, Any]) -> str:
        unknown = (self._known("payee", payee) for payee, _ in line["credited"])
        if fault := next(filter(None, unknown), "") or self._known("work", line["work"]):
            return fault
        return "" if sum(u for _, u in line["credited"]) == line["units"] else "its parts do not sum to it"

    def _cell(self, line: dict[str, Any]) -> str:
        if fault := self._known("epoch", line["epoch"]):
            return fault
        if (line["units"] is None) != (line["payees"] is None):
            return "a cell is kept back with its payees or not at all"
        self._kept_back += line["units"] is None
        if line["payees"] is not None and line["payees"] < self._header["fewest_payees_of_a_cell"]:
            return f"a cell of {line['payees']} payees is shown"
        if line["community"] == "all":
            fault = self._close_table()
            self._table = [line]
            return fault or self._new("cell", (line["epoch"], line["kind"], "all"))
        if not self._table or any(line[key] != self._table[0][key] for key in ("epoch", "kind")):
            return "it comes before the total of its table"
        self._table.append(line)
        return self._new("cell", (line["epoch"], line["kind"], line["community"]))

    def _close_table(self) -> str:
        """Return what is wrong with the table of cells that has just ended."""
        if not self._table:
            return ""
        total, *cells = self._table
        name = f"the table of epoch {total['epoch']}, {total['kind']!r},"
        shown = [cell for cell in cells if cell["units"] is not None]
        if total["units"] is None:
            return f"{name} shows cells without a total" if shown else ""
        behind = total["payees"] - sum(cell["payees"] for cell in shown)
        left = total["units"] - sum(cell["units"] for cell in shown)
        if len(shown) == len(cells):
            return "" if behind == left == 0 else f"{name} does not sum to its total"
        if left < 0 or behind < self._header["fewest_payees_of_a_cell"]:
            return f"{name} tells by subtraction what {behind} payees were owed"
        return ""


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a whole number")
