create table sessions (
  id text collate "C" not null,
  user_id text collate "C" not null,
  epoch integer not null,
  method text not null,
  counter integer not null default 0,
  access_payload text not null,
  access_key_id text collate "C" not null,
  refresh_key_id text collate "C" not null,
  created_at timestamptz not null,
  refreshed_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  client_ip inet,
  user_agent text not null default '',
  constraint sessions__pkey primary key (id),
  constraint sessions__user_id foreign key (user_id) references users (id),
  constraint sessions__access_key_id foreign key (access_key_id) references signing_keys (id),
  constraint sessions__refresh_key_id foreign key (refresh_key_id) references signing_keys (id),
  constraint sessions__counter check (counter >= 0)
);
create index sessions__user_id on sessions (user_id, id);
create index sessions__expires_at on sessions (expires_at);
create index sessions__refreshed_at on sessions (refreshed_at);
create index sessions__ended_at on sessions (ended_at) where ended_at is not null;
comment on table sessions is
  'One row per sign-in, whatever the number of its refreshes. No row security: identity alone reads it.';
comment on column sessions.epoch is 'The epoch of the user at sign-in; the session is over once that is another.';
comment on column sessions.method is 'How the user proved who they are: password, or oauth: and the provider.';
comment on column sessions.counter is
  'Number of refreshes. The refresh token is derived from it; the one before it is good for a retry of 10 seconds.';
comment on column sessions.access_payload is
  'Claims of the latest access token, so that a retry gets the same one again.';
comment on column sessions.refreshed_at is 'Sign-in or latest refresh; the idle limit counts from here.';
comment on column sessions.expires_at is 'The absolute end; refreshing never moves it.';

grant select, insert, delete on sessions to olytix_identity;
grant update (
  epoch, counter, access_payload, access_key_id, refresh_key_id, refreshed_at, ended_at, client_ip
) on sessions to olytix_identity;
