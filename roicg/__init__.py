"""roicg: neural networks as weighted computational graphs of ROIs, in a graph database. Importing it does nothing."""

__version__ = "0.1.0"

__all__ = ["__version__"]
