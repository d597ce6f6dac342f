select "f0"."d0" as "c0", "f0"."m0" as "c1"
from (
  select "orders"."sub_category"::text as "d0", count(distinct "orders"."order_id") as "m0", sum("orders"."profit") as "m1", min("orders"."city"::text collate "C") as "m2"
  from "raw"."orders" as "orders"
  group by 1
) as "f0"
order by "f0"."m1" asc nulls last, "f0"."m2" asc nulls last, "f0"."d0" collate "C" asc nulls last
limit $1::bigint offset $2::bigint
-- ["3","1"]
