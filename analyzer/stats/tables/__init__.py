"""Tables of simulated critical values, each with the script that makes it."""
