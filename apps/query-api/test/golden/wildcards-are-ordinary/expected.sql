select "f0"."d0" as "c0", "f0"."m0" as "c1"
from (
  select "products"."product_name"::text as "d0", count(*) as "m0"
  from (select * from "raw"."orders" as "orders" where "orders"."region"::text = $1::text) as "orders"
  left join (select * from (SELECT DISTINCT product_id, product_name, category, sub_category, region FROM "raw"."orders" AS orders) as "products" where "products"."region"::text = $2::text offset 0) as "products" on "orders"."product_id" = "products"."product_id" AND "orders"."product_name" = "products"."product_name" AND "orders"."region" = "products"."region"
  where "products"."product_name"::text ilike $3::text
  group by 1
) as "f0"
order by "f0"."d0" collate "C" asc nulls last
limit $4::bigint offset $5::bigint
-- ["West","West","%5\\% COTTON%","1000","0"]
