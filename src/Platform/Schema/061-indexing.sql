-- The keys of the search index: one, but for the time in which rows are rewritten under the next. Rows are written under the newest that is active.
CREATE TABLE index_key (
    number integer PRIMARY KEY,
    owner  uuid NOT NULL REFERENCES vault_owner,
    made   timestamptz NOT NULL,
    active timestamptz
);

-- SearchParameters that were added here, by the version that counts; ready once the records that were there before can be found by it.
CREATE TABLE index_parameter (
    id      text PRIMARY KEY,
    version integer NOT NULL,
    ready   timestamptz
);

-- Passes over the index in which rows are made anew from the records: for a new key, or for a parameter.
CREATE TABLE index_pass (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parameter text,
    version   integer,
    types     text[],
    asked     timestamptz NOT NULL,
    -- The first transaction that may be passed over: all that may have written without knowing of the key or the parameter must have ended.
    barrier   xid8,
    total     bigint,
    done      bigint NOT NULL DEFAULT 0,
    type      text NOT NULL DEFAULT '',
    after     text NOT NULL DEFAULT '',
    ended     timestamptz
);
