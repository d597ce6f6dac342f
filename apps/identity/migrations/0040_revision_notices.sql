create function tell_revision() returns trigger language plpgsql as $$
begin
  perform pg_notify('olytix_revision', new.value::text);
  return null;
end $$;
comment on function tell_revision is
  'A hint to the other replicas to read the revision at once; they read it by themselves as well.';

create trigger revisions__tell
  after update of value on revisions
  for each row
  when (old.value is distinct from new.value)
  execute function tell_revision();
