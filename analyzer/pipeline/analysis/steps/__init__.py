"""Steps before and after the replicates."""
