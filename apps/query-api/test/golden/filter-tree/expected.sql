select "f0"."d0" as "c0", "f0"."m0" as "c1"
from (
  select "orders"."ship_mode"::text as "d0", count(*) as "m0"
  from "raw"."orders" as "orders"
  where (("orders"."region"::text = $1::text and "orders"."quantity" between $2::bigint and $3::bigint) or ((("orders"."state"::text <> all($4::text[]) or "orders"."state"::text is null)) is not true))
  group by 1
) as "f0"
order by "f0"."d0" collate "C" asc nulls last
limit $5::bigint offset $6::bigint
-- ["West","5","7",["Texas","Ohio"],"1000","0"]
