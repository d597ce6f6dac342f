select coalesce("f0"."d0", "f1"."d0") as "c0", "f0"."m0" as "c1", "f1"."m0" as "c2"
from (
  select "d0", (array_agg("m0" order by "t" desc))[1] as "m0"
  from (  select date_trunc('quarter', "spine"."at"::timestamp) as "d0", "spine"."at" as "t", sum("orders"."sales") as "m0"
  from (select "at" from generate_series(date_trunc('day', timestamp '2014-01-01'), timestamp '2017-12-31 23:59:59', interval '1 day') as s ("at")) as "spine"
  join "raw"."orders" as "orders" on date_trunc('day', "orders"."order_date"::timestamp) <= "spine"."at"::timestamp and date_trunc('day', "orders"."order_date"::timestamp) >= date_trunc('year', "spine"."at"::timestamp::timestamp)
  where ("spine"."at" >= $1::timestamp and "spine"."at" < $2::timestamp)
  group by 1, 2) as "moments"
  group by 1
) as "f0"
full join (
  select date_trunc('quarter', "orders"."order_date"::timestamp) as "d0", sum("orders"."sales") as "m0"
  from "raw"."orders" as "orders"
  where ("orders"."order_date" >= $3::timestamp and "orders"."order_date" < $4::timestamp)
  group by 1
) as "f1" on array["f0"."d0"] = array["f1"."d0"]
order by coalesce("f0"."d0", "f1"."d0") asc nulls last
limit $5::bigint offset $6::bigint
-- ["2016-07-01T00:00:00","2017-04-01T00:00:00","2016-07-01T00:00:00","2017-04-01T00:00:00","1000","0"]
