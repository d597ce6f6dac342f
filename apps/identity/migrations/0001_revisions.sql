create table revisions (
  only_row boolean not null default true,
  value integer not null default 0,
  constraint revisions__pkey primary key (only_row),
  constraint revisions__one_row check (only_row),
  constraint revisions__grows check (value >= 0)
);
comment on table revisions is
  'Counts the changes that may alter an answer of Authorize. No row security: one row for the whole service.';
comment on column revisions.value is
  'Raised by every changing transaction, whose lock on the row makes revisions commit in their order.';

insert into revisions default values;

grant select, update (value) on revisions to olytix_identity;
