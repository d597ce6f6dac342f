create index key_usage__hour on key_usage (hour);

grant delete on key_usage to olytix_identity;
