create table users (
  id text collate "C" not null,
  email text not null,
  email_canonical text collate "C" not null,
  email_verified boolean not null default false,
  name text not null,
  password_hash text,
  attributes jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  disabled_at timestamptz,
  deleted_at timestamptz,
  constraint users__pkey primary key (id),
  constraint users__attributes check (jsonb_typeof(attributes) = 'object')
);
create unique index users__email_canonical on users (email_canonical) where deleted_at is null;
comment on table users is
  'People with an account. No row security: identity alone reads it, on behalf of everybody.';
comment on column users.email is 'As it was written, for display.';
comment on column users.email_canonical is 'NFKC and lower case: one account per address.';
comment on column users.password_hash is 'PHC string of argon2id; null while the user has no password.';
comment on column users.deleted_at is
  'A deleted user keeps the row, so that keys and audit events still name somebody.';

create table user_roles (
  user_id text collate "C" not null,
  role_name text collate "C" not null,
  constraint user_roles__pkey primary key (user_id, role_name),
  constraint user_roles__user_id foreign key (user_id) references users (id),
  constraint user_roles__role_name foreign key (role_name) references roles (name)
);
create index user_roles__role_name on user_roles (role_name);
comment on table user_roles is
  'Which roles a user has. No row security: identity alone reads it, on behalf of everybody.';

grant select, insert on users, user_roles to olytix_identity;
