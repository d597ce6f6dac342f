select "f0"."d0" as "c0", "f0"."d1" as "c1", "f0"."m0" as "c2"
from (
  select date_trunc('week', "orders"."order_date"::timestamp) as "d0", date_trunc('day', "orders"."order_date"::timestamp) as "d1", count(*) as "m0"
  from "raw"."orders" as "orders"
  where ("orders"."order_date" >= $1::timestamp and "orders"."order_date" < $2::timestamp)
  group by 1, 2
) as "f0"
order by "f0"."d0" asc nulls last, "f0"."d1" asc nulls last
limit $3::bigint offset $4::bigint
-- ["2016-02-29T00:00:00","2016-03-07T00:00:00","1000","0"]
