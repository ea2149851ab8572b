"""The child process that trains replicates."""
