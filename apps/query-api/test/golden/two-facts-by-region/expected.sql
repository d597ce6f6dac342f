select coalesce("f0"."d0", "f1"."d0") as "c0", "f0"."m0" as "c1", "f1"."m0" as "c2"
from (
  select "customers"."region"::text as "d0", count(distinct "orders"."customer_id") as "m0"
  from "raw"."orders" as "orders"
  left join (SELECT DISTINCT customer_id, customer_name, segment, region FROM "raw"."orders" AS orders) as "customers" on "orders"."customer_id" = "customers"."customer_id" AND "orders"."region" = "customers"."region"
  group by 1
) as "f0"
full join (
  select "customers"."region"::text as "d0", count(distinct "customers"."customer_id") as "m0"
  from (SELECT DISTINCT customer_id, customer_name, segment, region FROM "raw"."orders" AS orders) as "customers"
  group by 1
) as "f1" on array["f0"."d0"] = array["f1"."d0"]
order by coalesce("f0"."d0", "f1"."d0") collate "C" asc nulls last
limit $1::bigint offset $2::bigint
-- ["1000","0"]
