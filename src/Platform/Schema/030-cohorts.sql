-- Data sets, each private to the account that brought it. What they are called and what they hold stands sealed.
CREATE TABLE data_set (
    id      uuid PRIMARY KEY REFERENCES vault_owner,
    account uuid NOT NULL,
    created timestamptz NOT NULL,
    entry   text
);
CREATE INDEX data_set_by_account ON data_set (account, created);

-- As loaded, and after each step. About is sealed; blob names the sealed content.
CREATE TABLE data_set_version (
    data_set     uuid NOT NULL REFERENCES data_set,
    version      integer NOT NULL,
    created      timestamptz NOT NULL,
    about        bytea NOT NULL,
    blob         bytea NOT NULL,
    length       bigint NOT NULL,
    sealed_length bigint NOT NULL,
    PRIMARY KEY (data_set, version)
);
