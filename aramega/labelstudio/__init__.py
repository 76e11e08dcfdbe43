"""Label Studio: passages go there with their drafts, and what people did comes back as reviews."""
