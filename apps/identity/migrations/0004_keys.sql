create table keys (
  id text collate "C" not null,
  owner_id text collate "C" not null,
  ancestor_ids text[] collate "C" not null default '{}',
  name text not null,
  description text not null default '',
  hint text not null,
  secret_hash bytea not null,
  scopes text[] not null,
  attributes jsonb not null default '{}',
  allowed_ips cidr[] not null default '{}',
  rate_limit_requests integer,
  rate_limit_per_seconds integer,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  disabled_at timestamptz,
  revoked_at timestamptz,
  constraint keys__pkey primary key (id),
  constraint keys__owner_id foreign key (owner_id) references users (id),
  constraint keys__secret_hash unique (secret_hash),
  constraint keys__secret_hash_length check (octet_length(secret_hash) = 32),
  constraint keys__scopes check (scopes <@ array['read', 'write', 'admin'] and cardinality(scopes) > 0),
  constraint keys__attributes check (jsonb_typeof(attributes) = 'object'),
  constraint keys__rate_limit check (
    (rate_limit_requests is null) = (rate_limit_per_seconds is null)
    and rate_limit_requests > 0
    and rate_limit_per_seconds > 0
  )
);
create index keys__owner_id on keys (owner_id);
comment on table keys is
  'API keys, each a principal of its own. No row security: identity alone reads it, on behalf of everybody.';
comment on column keys.owner_id is 'The user who made it, or who made the first of the keys it was made with.';
comment on column keys.ancestor_ids is
  'The keys it was made with, nearest first: none of them may have fewer scopes than it grants.';
comment on column keys.hint is 'The first four random characters, to recognise a key by.';
comment on column keys.secret_hash is
  'SHA-256 of the whole key: 134 random bits need neither salt nor stretching.';
comment on column keys.expires_at is '00:00 UTC; refused from that moment on.';
comment on column keys.last_used_at is 'Flushed every few seconds, and only forward.';

create table key_roles (
  key_id text collate "C" not null,
  role_name text collate "C" not null,
  constraint key_roles__pkey primary key (key_id, role_name),
  constraint key_roles__key_id foreign key (key_id) references keys (id),
  constraint key_roles__role_name foreign key (role_name) references roles (name)
);
create index key_roles__role_name on key_roles (role_name);
comment on table key_roles is
  'Which roles a key has: what policies see of it. No row security: identity alone reads it, on behalf of everybody.';

grant select, insert on keys, key_roles to olytix_identity;
grant update (last_used_at, revoked_at) on keys to olytix_identity;
