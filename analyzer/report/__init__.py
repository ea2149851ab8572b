"""One view model, many renderers."""
