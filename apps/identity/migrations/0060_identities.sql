create table identities (
  issuer text collate "C" not null,
  subject text collate "C" not null,
  user_id text collate "C" not null,
  linked_at timestamptz not null,
  constraint identities__pkey primary key (issuer, subject),
  constraint identities__user_id foreign key (user_id) references users (id),
  constraint identities__user_id_issuer unique (user_id, issuer)
);
comment on table identities is
  'Which account somebody at a provider signs in to. No row security: identity alone reads it, on behalf of everybody.';
comment on column identities.subject is
  'As the issuer names them for ever; an address may be given to somebody else one day.';
comment on constraint identities__user_id_issuer on identities is
  'A second subject of an issuer must not reach an account through an address that was given to them later.';

grant select, insert, update (user_id, linked_at) on identities to olytix_identity;
