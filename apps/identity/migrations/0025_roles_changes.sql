alter table roles add constraint roles__description check (char_length(description) <= 1000);

grant insert, update (scopes, description, updated_at), delete on roles to olytix_identity;
