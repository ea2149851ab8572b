"""The interventions: one small class a fault."""
