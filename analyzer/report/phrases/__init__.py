"""What reports say, each sentence once; what depends on the basis stands in one table."""
