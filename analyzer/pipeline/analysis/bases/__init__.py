"""What an observed row is judged against."""
