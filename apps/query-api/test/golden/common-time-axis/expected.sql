select "f0"."d0" as "c0", "f0"."m0" as "c1", "f0"."m1" as "c2"
from (
  select date_trunc('year', "orders"."order_date"::timestamp) as "d0", sum("orders"."sales") as "m0", count(*) filter (where ("orders"."profit" < 0)) as "m1"
  from "raw"."orders" as "orders"
  group by 1
) as "f0"
order by "f0"."d0" asc nulls last
limit $1::bigint offset $2::bigint
-- ["1000","0"]
