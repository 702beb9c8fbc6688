"""The model's description after the ODD+D protocol, made from the code's own metadata; see `describing`."""

from heritage_experiments.oddd.describing import describe
from heritage_experiments.oddd.document import Document
from heritage_experiments.oddd.parameters import Parameter, parameters_of, without_metadata

__all__ = ["Document", "Parameter", "describe", "parameters_of", "without_metadata"]
