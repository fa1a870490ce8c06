"""What a third party brings for a probe of its own: a summary and a chapter, with templates beside them."""
