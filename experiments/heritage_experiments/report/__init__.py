"""The report of a run: one offline HTML file, and the answer in words for the terminal."""

from heritage_experiments.report.page import answer_lines, write_report
from heritage_experiments.report.pieces import load_pieces, save_pieces

__all__ = ["answer_lines", "load_pieces", "save_pieces", "write_report"]
