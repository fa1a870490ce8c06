"""What is on disk or on the hub: files, hashes, loading, refusals."""
