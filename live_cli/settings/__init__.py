"""Settings: what each may be, where its value comes from, and all of them merged and frozen."""
