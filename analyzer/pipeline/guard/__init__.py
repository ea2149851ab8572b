"""The same judgement on a run that still trains."""
