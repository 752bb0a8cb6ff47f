"""The commands below `migrate`: what changes the stored schema, shows how, and says how far it has come."""
