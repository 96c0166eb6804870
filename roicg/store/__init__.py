"""The graph store: what was published is whole, never half-written, and read back equal to what was written."""
