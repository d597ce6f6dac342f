select "f0"."d0" as "c0", "f0"."m0" as "c1"
from (
  select date_trunc('quarter', "orders"."order_date"::timestamp) as "d0", sum("orders"."sales") as "m0"
  from "raw"."orders" as "orders"
  where ("orders"."order_date" >= $1::timestamp and "orders"."order_date" < $2::timestamp)
  group by 1
) as "f0"
order by "f0"."d0" asc nulls last
limit $3::bigint offset $4::bigint
-- ["2016-02-01T00:00:00","2017-01-01T00:00:00","1000","0"]
