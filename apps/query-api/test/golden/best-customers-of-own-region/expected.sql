select "f0"."d0" as "c0", "f0"."d1" as "c1", "f0"."m0" as "c2"
from (
  select "customers"."customer_name"::text as "d0", "customers"."segment"::text as "d1", sum("orders"."sales") as "m0"
  from (select * from "raw"."orders" as "orders" where "orders"."region"::text = $1::text) as "orders"
  left join (select * from (SELECT DISTINCT customer_id, customer_name, segment, region FROM "raw"."orders" AS orders) as "customers" where "customers"."region"::text = $2::text) as "customers" on "orders"."customer_id" = "customers"."customer_id" AND "orders"."region" = "customers"."region"
  group by 1, 2
) as "f0"
order by "f0"."m0" desc nulls last, "f0"."d0" collate "C" asc nulls last, "f0"."d1" collate "C" asc nulls last
limit $3::bigint offset $4::bigint
-- ["West","West","3","0"]
