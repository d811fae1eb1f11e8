"""Make a project of one's own of the template, and give it a newer toolkit later."""
