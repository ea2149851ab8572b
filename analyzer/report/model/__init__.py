"""The view model that every renderer reads."""
