"""A third party's package, as it would be installed beside auditor: each file is one thing that it adds."""
