create table roles (
  name text collate "C" not null,
  scopes text[] not null,
  description text not null default '',
  built_in boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint roles__pkey primary key (name),
  constraint roles__name check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  constraint roles__scopes check (scopes <@ array['read', 'write', 'admin'])
);
comment on table roles is
  'Named sets of scopes, and names that policies refer to. No row security: readable for the whole service.';
comment on column roles.built_in is 'Can be neither changed nor deleted.';

insert into roles (name, scopes, description, built_in)
values
  ('viewer', '{read}', 'Queries data and reads metadata', true),
  ('developer', '{read,write}', 'Changes definitions and runs models', true),
  ('admin', '{admin}', 'May do everything', true),
  ('analyst', '{read}', 'Queries the data of their own region', false);

grant select on roles to olytix_identity;
