select "f0"."d0" as "c0", (("f0"."m0") * 1.0 / nullif("f0"."m1", 0)) as "c1", (("f0"."m2") * 1.0 / nullif("f0"."m0", 0)) as "c2"
from (
  select "orders"."category"::text as "d0", sum("orders"."sales") as "m0", count(distinct "orders"."order_id") as "m1", sum("orders"."profit") as "m2"
  from "raw"."orders" as "orders"
  group by 1
) as "f0"
order by "f0"."d0" collate "C" asc nulls last
limit $1::bigint offset $2::bigint
-- ["1000","0"]
