import type pg from 'pg'

export const name = '0001-fhir'

/**
 * The FHIR repository: current versions, superseded versions, and what searches look at.
 * Instants are epoch milliseconds (`int8`), so that nothing depends on a time zone or a date range
 * of the server; text is compared by code point, so that an index means the same on every host.
 */
export async function up(client: pg.ClientBase): Promise<void> {
  await client.query(TABLES)
}

const TABLES = `
-- One row per instance: its current version, or the mark of its deletion.
create sequence res_sk;
create table res (
  sk      bigint  not null default nextval('res_sk') primary key,
  type    text    collate "C" not null,
  id      text    collate "C" not null,
  ver     int     not null,
  lu      int8    not null,                  -- lastUpdated, grows with every version of the row
  method  text    not null,                  -- POST | PUT | PATCH | DELETE
  deleted boolean not null default false,
  keys    int8[]  not null,                  -- hashed facts; a deletion keeps the last ones
  refs    text[]  not null,                  -- 'param=Type/id' of every literal reference
  body    text    not null                   -- exact JSON text; '' when deleted
);
alter table res alter column keys set statistics 1000;
create unique index res_type_id on res (type, id);
-- A short list of what is not sorted in yet: writing costs half, and eight pages are soon read.
create index res_keys on res using gin (keys) with (fastupdate = on, gin_pending_list_limit = 64);
create index res_type_sk on res (type, sk) where not deleted;
create index res_type_lu on res (type, lu, sk);

-- Superseded versions only.
create table hist (
  sk      bigint  not null,
  ver     int     not null,
  type    text    collate "C" not null,
  lu      int8    not null,
  method  text    not null,
  deleted boolean not null,
  keys    int8[]  not null,
  body    text    not null,
  primary key (sk, ver)
);

-- A number for every (type, parameter) that the index tables name.
create table param (
  p    smallint generated always as identity primary key,
  type text collate "C" not null,
  code text collate "C" not null,
  unique (type, code)
);

-- Spans of time, half open [lo, hi).
create table ix_date (sk bigint not null, p smallint not null, lo int8 not null, hi int8 not null);
create index ix_date_lo on ix_date (p, lo, sk) include (hi);
create index ix_date_hi on ix_date (p, hi, sk) include (lo);
create index ix_date_sk on ix_date (sk, p) include (lo, hi);

-- v: folded string, or a URI as it stands; x: the string as written. Long values are found by
-- their first 200 characters and compared whole.
create table ix_str (
  sk bigint not null, p smallint not null,
  v text collate "C" not null, x text collate "C"
);
create index ix_str_v on ix_str (p, left(v, 200), sk);
create index ix_str_sk on ix_str (sk, p);

-- Numbers and quantities, inclusive [lo, hi]. u: hash of system and code, c: hash of the code,
-- n: hash of the unit's name; 0 when there is none. k: hash of what a composite ties them to.
create table ix_num (
  sk bigint not null, p smallint not null, k int8 not null,
  lo float8 not null, hi float8 not null, u int8 not null, c int8 not null, n int8 not null
);
create index ix_num_lo on ix_num (p, k, lo, sk) include (hi, u, c, n);
create index ix_num_sk on ix_num (sk, p);
`
