select "f0"."d0" as "c0", "f0"."m0" as "c1"
from (
  select "orders"."state"::text as "d0", sum("orders"."sales") as "m0", sum("orders"."profit") as "m1"
  from "raw"."orders" as "orders"
  where ("orders"."order_date" >= $1::timestamp)
  group by 1
) as "f0"
where (("f0"."m1") * 1.0 / nullif("f0"."m0", 0)) < $2::numeric
order by "f0"."d0" collate "C" asc nulls last
limit $3::bigint offset $4::bigint
-- ["2016-01-01T00:00:00","-0.15","1000","0"]
