"""Pure functions: arrays and a Generator in, frozen results out."""
