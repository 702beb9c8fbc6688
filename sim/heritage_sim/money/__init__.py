"""The money chain: usage -> report -> matching -> cash-in -> statement -> settlement -> cash-out, one idea a file."""

STEPS = ("usage", "report", "matching", "cash_in", "statement", "settlement", "cash_out")
"""Steps in order. The first runs from the play to the end of its epoch; the parts of all sum to the days to payment."""
