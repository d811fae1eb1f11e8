"""A set whose rows are read, split and transformed already: `kindling prepare`, data=prepared."""
