create table table_builds (
  id bigint generated always as identity,
  schema_name text not null,
  table_name text not null,
  run_id text not null,
  made_from jsonb not null,
  recorded_at timestamptz not null default now(),
  constraint table_builds__pkey primary key (id)
);
create index table_builds__table on table_builds (schema_name, table_name, id);
comment on table table_builds is
  'What the rows of each table that a run built may come from. A row is here before the rows of its build are, and until a later full build has replaced them. No row security: policies are applied by it.';
comment on column table_builds.made_from is 'The lineage of the SELECT, down to columns of tables.';

create table build_changes (
  is_only boolean not null default true,
  changes bigint not null,
  constraint build_changes__pkey primary key (is_only),
  constraint build_changes__is_only check (is_only)
);
insert into build_changes (changes) values (0);
comment on table build_changes is
  'One row that counts what happens to table_builds and the tables: replicas follow it. No row security: it is but a number.';

grant select, insert, delete on table_builds to olytix_query;
grant select, update (changes) on build_changes to olytix_query;
