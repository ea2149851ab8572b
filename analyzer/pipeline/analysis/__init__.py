"""`drift analyze`: one flow over a case and a basis."""
