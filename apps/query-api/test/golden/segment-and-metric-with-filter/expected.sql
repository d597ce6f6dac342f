select "f0"."d0" as "c0", "f0"."m0" as "c1", (("f0"."m0" * 1.0) / (NULLIF ("f0"."m1", 0))) as "c2"
from (
  select date_trunc('year', "orders"."order_date"::timestamp) as "d0", sum("orders"."sales") filter (where "orders"."category"::text = $1::text) as "m0", sum("orders"."sales") as "m1"
  from (select * from "raw"."orders" as "orders" where "orders"."region"::text = $2::text) as "orders"
  where ("orders"."sales" >= 1000)
  group by 1
) as "f0"
order by "f0"."d0" asc nulls last
limit $3::bigint offset $4::bigint
-- ["Technology","West","1000","0"]
