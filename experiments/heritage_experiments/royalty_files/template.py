"""Writes example files that a user can fill: commented, with synthetic rows, ready to be run as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from heritage_experiments.royalty_files.columns import PAYEES_COLUMNS, USAGE_COLUMNS, WORKS_COLUMNS
from heritage_sim.base import InputError

_USAGE = """\
# One row for each listener and work. Lines that begin with # are skipped. All rows here are synthetic.
{columns}
# Repeated rows of a listener and work are added up. A row without work, with 0 plays, is a listener who played nothing.
# w-99 is not in works.csv on purpose: unmatched usage is listed, and its money held, never dropped.
listener,work,plays,seconds,fee
l-01,w-01,12,2480,9.99
l-01,w-02,3,610,9.99
l-02,w-02,40,8210,9.99
l-02,w-03,25,4900,9.99
l-02,w-04,35,7105,9.99
l-03,w-05,2,388,4.99
l-04,w-01,6,1215,9.99
l-04,w-06,6,1302,9.99
l-05,w-04,90,17950,9.99
l-05,w-99,10,1990,9.99
l-06,w-03,1,205,4.99
l-07,,0,0,9.99
"""
_WORKS = """\
# One row for each work. All rows here are synthetic; the names are invented.
{columns}
# Shares of a work's payees sum to 100 per cent; a single payee needs none.
work,title,community,payees,consent
w-01,Rain on the Pavilion,Tirtanala,tirtanala-fund,all
w-02,Rain on the Pavilion (variation),Tirtanala,tirtanala-fund:30;adi:70,all
w-03,Lantern Road,Qinghe,qinghe-fund:30;lan:70,train+derive+perform+sell
w-04,Harvest Boats,Qinghe,qinghe-fund:25;lan:50;min:25,derive+perform+sell
w-05,High Pasture,Wayrapampa,wayrapampa-fund,perform+sell
w-06,Two Rows of Pipes,Wayrapampa,wayrapampa-fund:40;illa:60,all
"""
_PAYEES = """\
# One row for each payee. All rows here are synthetic; the names are invented.
{columns}
payee,name,community
tirtanala-fund,Community fund of Tirtanala,Tirtanala
adi,Adi of Tirtanala,Tirtanala
qinghe-fund,Community fund of Qinghe,Qinghe
lan,Lan of Qinghe,Qinghe
min,Min of Qinghe,Qinghe
wayrapampa-fund,Community fund of Wayrapampa,Wayrapampa
illa,Illa of Wayrapampa,Wayrapampa
"""
_MAP = """\
# For files with other column names: give this file to --map. Our names stand on the left, yours on the right.
# Delete what you do not need; every key is optional.
usage:
  listener: listener    # such as userID
  work: work            # such as artistID
  plays: plays          # such as weight
works:
  work: work
  title: title
payees:
  name: name
# constants:            # for what the files lack
#   fee: 9.99           # what each listener paid
#   pool: 1000.00       # amount to share out; without it the sum of all fees
#   plays: 1            # for logs with one row per play
#   community: Tirtanala
# delimiter: ";"        # else: a tab for .tsv, otherwise whichever of comma and semicolon the header has
# decimal: ","          # for amounts and shares such as 9,99
# encoding: latin-1     # else utf-8
"""


def template_files() -> dict[str, str]:
    """Return the text of each example file by its name."""
    return {
        "usage.csv": _USAGE.format(columns=_explained(USAGE_COLUMNS)),
        "works.csv": _WORKS.format(columns=_explained(WORKS_COLUMNS)),
        "payees.csv": _PAYEES.format(columns=_explained(PAYEES_COLUMNS)),
        "map.yaml": _MAP,
    }


def write_template(folder: Path) -> list[Path]:
    """Write the example files into a folder and return their paths.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If one of the files exists, or the folder cannot be written to; nothing is overwritten.
    """
    texts = template_files()
    for name in texts:
        if (folder / name).exists():
            raise InputError("the file exists and is left as it is", str(folder / name), "name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as wrong:
        raise InputError(
            f"cannot write here: {wrong.strerror or wrong}", str(wrong.filename or folder), "name another folder"
        ) from None
    return [folder / name for name in texts]


def _explained(columns: Mapping[str, str]) -> str:
    return "\n".join(f"#   {name}: {meaning}" for name, meaning in columns.items())
