select "f0"."m0" as "c0", "f1"."m0" as "c1", "f2"."m0" as "c2"
from (
  select sum("orders"."sales") as "m0"
  from "raw"."orders" as "orders"
) as "f0"
cross join (
  select count(distinct "customers"."customer_id") as "m0"
  from (SELECT DISTINCT customer_id, customer_name, segment, region FROM "raw"."orders" AS orders) as "customers"
) as "f1"
cross join (
  select count(distinct ("products"."product_id" || ' ') || "products"."product_name") as "m0"
  from (SELECT DISTINCT product_id, product_name, category, sub_category, region FROM "raw"."orders" AS orders) as "products"
) as "f2"
limit $1::bigint offset $2::bigint
-- ["1000","0"]
