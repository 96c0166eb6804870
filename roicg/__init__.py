"""roicg: neural networks as weighted computational graphs of ROIs, in a graph database. Importing it does nothing."""
