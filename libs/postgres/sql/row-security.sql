-- Who is asking, for row security of the warehouse's own. Run as the owner of the warehouse's database; running it again
-- brings it up to date. docs/row-security.md shows policies that use it.
--
-- query-api tells each transaction, and only that transaction, who is asking. Every function here raises SQLSTATE OLX01
-- where nobody said so: after a transaction PostgreSQL remembers such a setting as '' on the same connection, which a
-- plain current_setting would take for a value. So what forgets to say who is asking is refused, and never answered.

create schema if not exists olytix;
grant usage on schema olytix to public;

create or replace function olytix.required_setting(name text) returns text
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  value text := nullif(current_setting(name, true), '');
begin
  if value is null then
    raise exception 'nobody said % in this transaction', coalesce(name, 'null') using errcode = 'OLX01';
  end if;
  return value;
end $$;
comment on function olytix.required_setting(text) is
  'A setting of the transaction; SQLSTATE OLX01 when it is missing or empty.';

create or replace function olytix.required_list(name text) returns text[]
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  value text := olytix.required_setting(name);
begin
  if value !~ '^\[.*\]$' then
    raise exception '% is no list', name using errcode = 'OLX01';
  end if;
  return array(select json_array_elements_text(value::json));
end $$;
comment on function olytix.required_list(text) is
  'A setting that holds a JSON list, perhaps an empty one; SQLSTATE OLX01 when it is missing or none.';

create or replace function olytix.user_id() returns text
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return olytix.required_setting('olytix.user_id');
end $$;
comment on function olytix.user_id() is 'The id of who is asking: usr_… or key_….';

create or replace function olytix.user_email() returns text
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return olytix.required_setting('olytix.user_email');
end $$;
comment on function olytix.user_email() is
  'The e-mail address of who is asking; SQLSTATE OLX01 for an API key, which has none.';

create or replace function olytix.user_roles() returns text[]
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return olytix.required_list('olytix.roles');
end $$;
comment on function olytix.user_roles() is 'The roles of who is asking, perhaps none.';

create or replace function olytix.user_has_role(role text) returns boolean
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce(role = any (olytix.required_list('olytix.roles')), false);
end $$;
comment on function olytix.user_has_role(text) is 'Whether who is asking has a role.';

create or replace function olytix.user_attribute(name text) returns text
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  value text := olytix.required_setting('olytix.attributes.' || name);
begin
  -- Compared as text a list equals nothing, and differs from everything: <> would show all rows.
  if value ~ '^\[.*\]$' then
    raise exception 'attribute % is a list: ask olytix.user_attribute_list', name using errcode = 'OLX01';
  end if;
  return value;
end $$;
comment on function olytix.user_attribute(text) is
  'An attribute of who is asking, as text; SQLSTATE OLX01 when it is missing, empty or a list.';

create or replace function olytix.user_attribute_list(name text) returns text[]
language plpgsql stable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
  return olytix.required_list('olytix.attributes.' || name);
end $$;
comment on function olytix.user_attribute_list(text) is
  'An attribute that is a list, perhaps an empty one; SQLSTATE OLX01 when it is missing or no list.';

grant execute on all functions in schema olytix to public;
