"""The generator: degree tokens, constraint tables, a small transformer, its step loop, and three ways to answer."""

from heritage_models.generator.factory import make_generator, make_transformer, train

__all__ = ["make_generator", "make_transformer", "train"]
