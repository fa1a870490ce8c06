"""From sections to files: templates, HTML, PDF."""
