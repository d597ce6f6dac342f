select "f0"."d0" as "c0", "f0"."d1" as "c1"
from (
  select "products"."category"::text as "d0", "products"."region"::text as "d1"
  from (select * from (SELECT DISTINCT product_id, product_name, category, sub_category, region FROM "raw"."orders" AS orders) as "products" where "products"."region"::text = $1::text) as "products"
  group by 1, 2
) as "f0"
order by "f0"."d0" collate "C" asc nulls last, "f0"."d1" collate "C" asc nulls last
limit $2::bigint offset $3::bigint
-- ["West","1000","0"]
