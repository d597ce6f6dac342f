select coalesce("f0"."d0", "f1"."d0") as "c0", "f0"."m0" as "c1", "f1"."m0" as "c2"
from (
  select "d0", (array_agg("m0" order by "t" desc))[1] as "m0"
  from (  select "d0", "t", "m0"
  from (
    with "periods" as (
      select date_trunc('day', "orders"."order_date"::timestamp) as "at", sum("orders"."sales") as "v0"
      from "raw"."orders" as "orders"
      where "orders"."order_date" is not null
      group by 1
    )
    select "d0", "t", sum("v0") over "past" as "m0", count("is_row") over "past" as "rows"
    from (
      select null as "d0", null as "t", "at", "v0", true as "is_row"
      from "periods"
      union all
      select date_trunc('quarter', "spine"."at"::timestamp), "spine"."at", "spine"."at"::timestamp, null, null
      from (select "at" from generate_series(date_trunc('day', timestamp '2014-01-01'), timestamp '2017-12-31 23:59:59', interval '1 day') as s ("at")) as "spine"
      join (
        select date_trunc('year', "at"::timestamp) as "period", min("at") as "first"
        from "periods"
      group by 1
      ) as "groups" on "spine"."at"::timestamp >= "groups"."first" and "groups"."period" = date_trunc('year', "spine"."at"::timestamp::timestamp)
      where ("spine"."at" >= $1::timestamp and "spine"."at" < $2::timestamp)
    ) as "events"
    window "past" as (partition by date_trunc('year', "at"::timestamp) order by "at")
  ) as "seen"
  where "t" is not null and "rows" > 0) as "moments"
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
