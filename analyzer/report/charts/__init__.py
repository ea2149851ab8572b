"""Figures for HTML and PNG, drawn from the view model with matplotlib; no global state of pyplot is touched."""
