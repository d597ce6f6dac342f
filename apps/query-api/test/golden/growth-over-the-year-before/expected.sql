select coalesce("f0"."d0", "f1"."d0") as "c0", "f0"."m0" as "c1", ("f0"."m0" - "f1"."m0") as "c2"
from (
  select date_trunc('year', "orders"."order_date"::timestamp) as "d0", sum("orders"."sales") as "m0"
  from "raw"."orders" as "orders"
  group by 1
) as "f0"
full join (
  select date_trunc('year', "spine"."at"::timestamp) as "d0", sum("orders"."sales") as "m0"
  from (select "at" from generate_series(date_trunc('day', timestamp '2014-01-01'), timestamp '2017-12-31 23:59:59', interval '1 day') as s ("at")) as "spine"
  join "raw"."orders" as "orders" on date_trunc('year', "orders"."order_date"::timestamp) = ("spine"."at"::timestamp - interval '1 year')
  where ("spine"."at" = date_trunc('year', "spine"."at"::timestamp))
  group by 1
) as "f1" on array["f0"."d0"] = array["f1"."d0"]
order by coalesce("f0"."d0", "f1"."d0") asc nulls last
limit $1::bigint offset $2::bigint
-- ["1000","0"]
