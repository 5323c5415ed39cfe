"""What ``python -m benchmarks`` times: a file a part; a new file is found by itself."""
