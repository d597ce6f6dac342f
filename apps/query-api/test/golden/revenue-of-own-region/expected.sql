select "f0"."d0" as "c0", "f0"."m0" as "c1", "f0"."m1" as "c2", "f0"."m2" as "c3"
from (
  select "orders"."region"::text as "d0", sum("orders"."sales") as "m0", count(*) as "m1", count(distinct "orders"."order_id") as "m2"
  from (select * from "raw"."orders" as "orders" where "orders"."region"::text = $1::text) as "orders"
  group by 1
) as "f0"
order by "f0"."d0" collate "C" asc nulls last
limit $2::bigint offset $3::bigint
-- ["West","1000","0"]
