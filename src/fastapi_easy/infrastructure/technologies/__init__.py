"""Each technology as one object, `TECHNOLOGY`; the composition root imports the modules of those in use."""
