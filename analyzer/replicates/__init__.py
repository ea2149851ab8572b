"""How the null is made and kept."""
