"""Review: passages go to Label Studio with their drafts, people's work comes back, and one answer is settled from it."""
