-- A model is an entry of kind 4, a Library. It is in use while the newest Provenance of that kind that names it releases it; a Basic tells how it fares.
CREATE INDEX entry_model ON entry (type, written DESC, id DESC) WHERE kind = 4;
