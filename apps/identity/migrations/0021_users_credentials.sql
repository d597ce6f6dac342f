alter table users
  add column last_login_at timestamptz,
  add column credentials_epoch integer not null default 0,
  add constraint users__credentials_epoch check (credentials_epoch >= 0);
comment on column users.credentials_epoch is
  'Raised when every sign-in of the user must end: disabled, deleted, password changed. Sessions of an older epoch are over.';

grant update (
  email, email_canonical, email_verified, name, password_hash, attributes, updated_at, disabled_at,
  deleted_at, last_login_at, credentials_epoch
) on users to olytix_identity;
grant delete on user_roles to olytix_identity;
