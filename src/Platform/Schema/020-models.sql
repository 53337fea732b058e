-- A model is an entry of kind 4, a Library; the newest one is the one in use.
CREATE INDEX entry_model ON entry (written DESC) WHERE kind = 4;
